// Owns time limits that nearly always are called off: thousands of them share one timer.

import { type Bag, type Bagged, createBag } from '../bag/bag.ts';

/** A limit that runs. */
export type Deadline = {
  /** Begins anew: due in `ms` from now. Does nothing once it was due or called off. */
  readonly extend: (ms: number) => void;
  /** Calls it off. */
  readonly cancel: () => void;
};

export type Deadlines = {
  /** Calls `onDue` in `ms`, or up to `tickMs` later: never before, and at most once. */
  readonly after: (ms: number, onDue: () => void) => Deadline;
};

/** How late a deadline can be, in milliseconds. */
export const tickMs = 50;

class Running implements Deadline, Bagged {
  readonly onDue: () => void;
  readonly #all: Bag<Running>;
  dueAt: number;
  slot = -1;

  constructor(all: Bag<Running>, dueAt: number, onDue: () => void) {
    this.#all = all;
    this.dueAt = dueAt;
    this.onDue = onDue;
  }

  extend(ms: number): void {
    this.dueAt = performance.now() + ms;
  }

  cancel(): void {
    this.#all.remove(this);
  }
}

/**
 * A set of deadlines. A timer of Node's own for each would cost more than all that a call does with it; here
 * starting and calling off are an insertion and a deletion, and one timer looks at all of them every `tickMs`. It
 * runs, and keeps the process alive, only while there is a deadline.
 */
export function createDeadlines(): Deadlines {
  const all = createBag<Running>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const now = performance.now();
    for (const deadline of all.items()) {
      // One that was due before may have called off this one.
      if (deadline.dueAt <= now && all.remove(deadline)) deadline.onDue();
    }
    if (all.size() > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return {
    after(ms, onDue) {
      const deadline = new Running(all, performance.now() + ms, onDue);
      all.add(deadline);
      timer ??= setInterval(look, tickMs);
      return deadline;
    },
  };
}
