// Owns moving what was committed from SQLite's write-ahead log into the database, beside the connection that writes.

import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { databasePath } from './sqlite-file.ts';

/** How often, in milliseconds. */
const everyMs = 250;
/** How often it is tried to empty the log while somebody waits for that, and for how long. In milliseconds. */
const emptyEveryMs = 10;
const emptyForMs = 5_000;

export type Checkpoints = {
  /**
   * Moves the whole log and cuts it to nothing. A log that is used again from its start keeps what lies behind its new
   * end: what was deleted and overwritten in the database stands there still, whole. Resolves to false when a
   * transaction was in its way for as long as `limitMs`; it is then tried on, at each checkpoint, until it succeeds.
   */
  readonly empty: (limitMs?: number) => Promise<boolean>;
  readonly stop: () => void;
};

/**
 * Checkpoints an embedded database beside whoever writes to it. A passive checkpoint waits for nobody: it moves what
 * it can. The connection that writes makes one of its own only when the log has grown long all the same, and then has
 * little left to move; else every eighth megabyte a change would wait for a thousand pages and two syncs.
 */
export function startCheckpoints(directory: string): Checkpoints {
  const database = new DatabaseSync(databasePath(directory), { timeout: 0 });
  database.exec('pragma synchronous = full; pragma cache_size = -100;');
  const passive = database.prepare('pragma wal_checkpoint(passive)');
  const truncating = database.prepare('pragma wal_checkpoint(truncate)');
  let isOwed = false;

  /** True when the log is empty. Whoever reads or writes is not waited for: this thread has other work. */
  function tryToEmpty(): boolean {
    if (!database.isOpen || truncating.get()?.busy !== 0) return false;
    isOwed = false;
    return true;
  }
  function attempt(work: () => unknown): unknown {
    try {
      return work();
    } catch {
      // The disk is full or fails: the writer finds that out by itself, and says so.
      return false;
    }
  }
  const timer = setInterval(() => attempt(() => (isOwed ? tryToEmpty() : passive.all())), everyMs);
  timer.unref();
  return {
    async empty(limitMs = emptyForMs) {
      isOwed = true;
      const until = performance.now() + limitMs;
      while (attempt(tryToEmpty) !== true) {
        if (performance.now() > until) return false;
        await sleep(emptyEveryMs);
      }
      return true;
    },
    stop() {
      clearInterval(timer);
      if (database.isOpen) database.close();
    },
  };
}
