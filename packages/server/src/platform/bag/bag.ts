// Owns a collection for what comes and goes with each call.

/** What is in a bag knows its place there; -1 while it is in none. Only the bag writes it. */
export type Bagged = { slot: number };

/**
 * Things in no order, each at most once; adding and removing take constant time.
 *
 * Why no Set or Map: V8 replaces a Set's table when enough was deleted, and lets the replaced table point to its
 * successor. One replaced table that has grown old keeps the whole chain of younger ones alive, and with it all that
 * ever stood in them, until the next full collection: measured, 7 KB of each call survived and every collection of
 * the young took 20 to 60 ms instead of 1 to 3. An array has no such past.
 */
export type Bag<T extends Bagged> = {
  readonly add: (item: T) => void;
  /** False if the item is not in this bag. */
  readonly remove: (item: T) => boolean;
  readonly size: () => number;
  /** What is in it now. A copy: it stays as it is while the bag changes. */
  readonly items: () => readonly T[];
};

/** An empty bag. */
export function createBag<T extends Bagged>(): Bag<T> {
  const all: T[] = [];
  return {
    add(item) {
      if (all[item.slot] === item) return;
      item.slot = all.length;
      all.push(item);
    },
    remove(item) {
      if (all[item.slot] !== item) return false;
      const last = all.pop();
      if (last !== undefined && last !== item) {
        all[item.slot] = last;
        last.slot = item.slot;
      }
      item.slot = -1;
      return true;
    },
    size: () => all.length,
    items: () => all.slice(),
  };
}
