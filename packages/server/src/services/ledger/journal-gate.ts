// Owns who may append to the journal now: the thread that serves, or the one that moves heads.

import { AppError } from '@countersign/core/errors';

/** A gate that is closed at first: the thread that moves heads has the journal until it resumes for the first time. */
export type JournalGate = {
  readonly isHeld: () => boolean;
  /**
   * Resolves when the gate was open for a moment. Rejects with `storage_unavailable` when that takes too long, and with
   * the reason of the end after `end`.
   */
  readonly free: () => Promise<void>;
  /** Runs what appends. INVARIANT: only in a turn in which the gate is not held. */
  readonly append: <T>(work: () => Promise<T>) => Promise<T>;
  /** Closes the gate; resolves when nothing is being appended. */
  readonly hold: () => Promise<void>;
  readonly resume: () => void;
  /** Closes the gate for good, whoever resumes; resolves when nothing is being appended. */
  readonly end: (reason: AppError) => Promise<void>;
};

/** `waitMs`: how long a caller waits at most. */
export function createJournalGate(waitMs: number): JournalGate {
  let held: PromiseWithResolvers<void> | undefined = Promise.withResolvers();
  let underWay: Promise<unknown> | undefined;
  let ended: AppError | undefined;

  async function opened(closed: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<never>();
    const message = 'the ledger was busy for too long: retry shortly';
    const fail = (): void =>
      late.reject(new AppError('storage_unavailable', message, { retryAfterSeconds: 1 }));
    const timer = setTimeout(fail, waitMs);
    await Promise.race([closed, late.promise]).finally(() => clearTimeout(timer));
  }

  return {
    isHeld: () => held !== undefined,
    async free() {
      if (held !== undefined && ended === undefined) await opened(held.promise);
      if (ended !== undefined) throw ended;
    },
    append(work) {
      const running = work();
      underWay = running.catch(() => {});
      return running;
    },
    async hold() {
      held ??= Promise.withResolvers();
      await underWay;
    },
    resume() {
      if (ended !== undefined) return;
      held?.resolve();
      held = undefined;
    },
    async end(reason) {
      ended ??= reason;
      held ??= Promise.withResolvers();
      // Whoever waits hears why.
      held.resolve();
      await underWay;
    },
  };
}
