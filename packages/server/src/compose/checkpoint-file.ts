// Owns the append-only file of checkpoints: the anchor against the operator that is on by default.

import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

export type CheckpointFile = {
  /** Keeps the newest checkpoint of a log for the next write. */
  readonly note: (orgId: string, checkpoint: string) => void;
  /** Writes what is kept. Never throws: the ledger does not depend on its anchors. */
  readonly flush: () => void;
  readonly close: () => void;
};

/**
 * Appends the newest checkpoint of each log, at most once an interval, each followed by an empty line. Copy
 * the file away: whoever holds an old line can tell whether the log was rewritten since.
 */
export function openCheckpointFile(
  path: string | undefined,
  onError: (error: unknown) => void,
): CheckpointFile {
  const latest = new Map<string, string>();
  const fd = path === undefined ? undefined : openSync(path, 'a', 0o600);
  function flush(): void {
    if (fd === undefined || latest.size === 0) return;
    const text = [...latest.values()].map((checkpoint) => `${checkpoint}\n`).join('');
    latest.clear();
    try {
      writeSync(fd, text);
      fsyncSync(fd);
    } catch (error) {
      onError(error);
    }
  }
  return {
    note(orgId, checkpoint) {
      if (fd !== undefined) latest.set(orgId, checkpoint);
    },
    flush,
    close() {
      flush();
      if (fd !== undefined) closeSync(fd);
    },
  };
}
