// Owns the calls that a thread has not answered yet: their promises, time-outs and count.

import { AppError } from '@countersign/core/errors';

// Methods, so that a promise of a narrower type may be settled with what the message says that it is.
type Pending = {
  resolve(value: unknown): void;
  reject(error: AppError): void;
  readonly timer: NodeJS.Timeout;
};

export type PendingCalls = {
  /** A promise for the answer to call `id`, given up after the time-out. */
  readonly add: <Reply>(id: number) => Promise<Reply>;
  readonly resolve: (id: number, value: unknown) => void;
  readonly reject: (id: number, error: AppError) => void;
  readonly rejectAll: (error: AppError) => void;
  /** Calls that the other end still works on, those given up included. */
  readonly count: () => number;
  /** Resolves as soon as the count is 0. */
  readonly idle: () => Promise<void>;
};

function timedOut(thread: string): AppError {
  return new AppError('storage_unavailable', `the ${thread} thread did not answer in time: retry shortly`, {
    retryAfterSeconds: 1,
  });
}

/** An empty table of calls to the named thread; `timeoutMs` is in milliseconds. */
export function createPendingCalls(thread: string, timeoutMs: number): PendingCalls {
  const pending = new Map<number, Pending>();
  // INVARIANT: a call that was given up counts until it is answered, or a slow thread would be handed ever more.
  const givenUp = new Set<number>();
  const waiting = new Set<() => void>();
  const count = () => pending.size + givenUp.size;

  function take(id: number): Pending | undefined {
    const call = pending.get(id);
    if (call !== undefined) clearTimeout(call.timer);
    pending.delete(id);
    givenUp.delete(id);
    return call;
  }

  function wake(): void {
    if (count() > 0) return;
    for (const resolve of waiting) resolve();
    waiting.clear();
  }

  function reject(id: number, error: AppError): void {
    take(id)?.reject(error);
    wake();
  }

  return {
    add(id) {
      return new Promise((resolve, rejectCall) => {
        const timer = setTimeout(() => {
          take(id)?.reject(timedOut(thread));
          givenUp.add(id);
        }, timeoutMs);
        pending.set(id, { resolve, reject: rejectCall, timer });
      });
    },
    resolve(id, value) {
      take(id)?.resolve(value);
      wake();
    },
    reject,
    rejectAll(error) {
      for (const id of [...pending.keys()]) take(id)?.reject(error);
      givenUp.clear();
      wake();
    },
    count,
    idle: () => (count() === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
  };
}
