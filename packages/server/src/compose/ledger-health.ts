// Owns whether the ledger can be written, as far as this process has seen: for health checks, and a line of the log.

import type { Log } from '../platform/log/log.ts';

export type LedgerHealth = {
  readonly onCommit: () => void;
  readonly onFailure: (error: unknown, entries: number) => void;
  /** Hears whether the database could take in what the journal holds. */
  readonly onFollowing: (isFollowing: boolean) => void;
  /** Hears whether there is a log whose head somebody changed, which takes no entry. */
  readonly onAltered: (isAltered: boolean) => void;
  readonly isWritable: () => boolean;
  /** Asks no more. */
  readonly stop: () => void;
};

export type LedgerHealthDeps = {
  readonly log: Log;
  /** Monotonic, in milliseconds. */
  readonly clock: () => number;
  /** Writes something that changes nothing, and rejects if it cannot. */
  readonly probe: () => Promise<unknown>;
};

/** What keeps entries from being recorded: a write that failed, a database that takes nothing in, a head that was changed. */
type Found = { readonly hasFailed: boolean; readonly isFollowed: boolean; readonly isAltered: boolean };

/** How often a ledger that failed is tried, and at most told of, in milliseconds. */
const everyMs = 1_000;

/**
 * A ledger that failed is out of order until something was written: an entry, or what is tried once a second, because
 * whoever asks for health sends no calls meanwhile.
 */
export function createLedgerHealth({ log, clock, probe }: LedgerHealthDeps): LedgerHealth {
  let now: Found = { hasFailed: false, isFollowed: true, isAltered: false };
  let isProbing = false;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let toldAt = Number.NEGATIVE_INFINITY;
  let untold = 0;

  const isWritable = (): boolean => now.isFollowed && !now.hasFailed && !now.isAltered;

  /** What was found out now: where nothing is wrong any more, nothing is tried any more. */
  function note(found: Partial<Found>): void {
    const was = isWritable();
    now = { ...now, ...found };
    if (!isWritable()) {
      if (!isStopped) timer ??= setInterval(() => void tryOnce(), everyMs).unref();
      return;
    }
    if (was) return;
    clearInterval(timer);
    timer = undefined;
    log.info('entries can be recorded again');
  }
  async function tryOnce(): Promise<void> {
    if (isProbing) return;
    isProbing = true;
    try {
      await probe();
      note({ hasFailed: false, isFollowed: true });
    } catch {
      // Told when it failed first, and for each entry since.
    } finally {
      isProbing = false;
    }
  }
  return {
    onCommit() {
      if (now.hasFailed) note({ hasFailed: false });
    },
    onFailure(error, entries) {
      note({ hasFailed: true });
      untold += entries;
      if (clock() - toldAt < everyMs) return;
      toldAt = clock();
      log.error({ error, entries: untold }, 'entries could not be recorded');
      untold = 0;
    },
    onFollowing(isFollowing) {
      if (!isFollowing) log.error('the database takes nothing in: calls are refused until it does');
      note({ isFollowed: isFollowing });
    },
    // What is tried once a second says when it is over.
    onAltered: (found) => note({ isAltered: found }),
    isWritable,
    stop() {
      isStopped = true;
      clearInterval(timer);
    },
  };
}
