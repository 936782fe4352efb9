// Owns the append-only file of checkpoints: the anchor against the operator that is on by default.

import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@countersign/core/errors';
import { makeFolder } from '../platform/folders/make-folder.ts';

export type CheckpointFile = {
  /** Keeps the newest checkpoint of a log for the next write. */
  readonly note: (orgId: string, checkpoint: string) => void;
  /** Writes what is kept. Never throws: the ledger does not depend on its anchors. */
  readonly flush: () => void;
  readonly close: () => void;
};

/** Opens the file to append to it; on PostgreSQL nothing else has made the data folder. */
function open(path: string): number {
  try {
    makeFolder(dirname(path));
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    throw new AppError(
      'storage_unavailable',
      `checkpoints cannot be written to \`${path}\`: give another path in \`COUNTERSIGN_CHECKPOINT_FILE\`, or \`off\``,
      { cause },
    );
  }
}

/**
 * Appends the newest checkpoint of each log, at most once an interval, each followed by an empty line. Copy
 * the file away: whoever holds an old line can tell whether the log was rewritten since. Throws
 * `storage_unavailable` where the file cannot be opened.
 */
export function openCheckpointFile(
  path: string | undefined,
  onError: (error: unknown) => void,
): CheckpointFile {
  const latest = new Map<string, string>();
  const fd = path === undefined ? undefined : open(path);
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
