// Owns rounds: what becomes ready in one turn of the event loop goes on together.

/**
 * Lets calls wait for each other for less than a turn of the event loop.
 *
 * Why: a call's own steps are some hundred kilobytes of code and tables. Between two system calls of reading and
 * writing sockets they are pushed out of the processor's caches, and each step waits for memory. When the steps of
 * all calls that arrived in a turn run one after the other, only the first of them waits. The figures are in
 * docs/adr/0025.
 */
export type Rounds = {
  /** A call begins. Each `enter` has its `leave`. */
  readonly enter: () => void;
  readonly leave: () => void;
  /** Calls that have begun and not ended. */
  readonly underWay: () => number;
  /** Resolves once this turn has taken in what was ready; undefined for a call that is alone, and should go on. */
  readonly next: () => Promise<void> | undefined;
};

/** Rounds of one event loop. `afterTurn` runs its argument once when the sockets that are ready have been read. */
export function createRounds(afterTurn: (work: () => void) => void): Rounds {
  let calls = 0;
  let round: Promise<void> | undefined;

  function begin(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    afterTurn(() => {
      round = undefined;
      resolve();
    });
    return promise;
  }

  return {
    enter() {
      calls += 1;
    },
    leave() {
      calls -= 1;
    },
    underWay: () => calls,
    next() {
      if (calls <= 1) return undefined;
      round ??= begin();
      return round;
    },
  };
}
