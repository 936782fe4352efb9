// Owns taking turns: one holder at a time, first come first served, with a bounded wait.

import { AppError } from '@countersign/core/errors';

export type Turn = {
  /** Resolves when it is the caller's turn; rejects with `storage_unavailable` after `waitMs`. */
  readonly take: () => Promise<void>;
  readonly give: () => void;
};

type Waiter = { readonly start: () => void };

/** A lock for one connection: whoever waits longer than `waitMs` milliseconds is refused. */
export function createTurn(waitMs: number): Turn {
  let isHeld = false;
  const waiting = new Set<Waiter>();
  return {
    take() {
      if (!isHeld) {
        isHeld = true;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          start() {
            clearTimeout(timer);
            resolve();
          },
        };
        const timer = setTimeout(() => {
          waiting.delete(waiter);
          reject(
            new AppError('storage_unavailable', 'the database was busy for too long: retry shortly', {
              retryAfterSeconds: 1,
            }),
          );
        }, waitMs);
        waiting.add(waiter);
      });
    },
    give() {
      const [next] = waiting;
      if (next === undefined) {
        isHeld = false;
        return;
      }
      waiting.delete(next);
      next.start();
    },
  };
}
