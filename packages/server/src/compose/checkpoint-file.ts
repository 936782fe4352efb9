// Owns the append-only file of checkpoints: the anchor against the operator that is on by default.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
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

/** For reading, too, so that its end is never that of another file; and without waiting for who reads a pipe. */
const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/** Opens the file to append to it; on PostgreSQL nothing else has made the data folder. */
function open(path: string): number {
  try {
    makeFolder(dirname(path));
    const fd = openSync(path, flags, 0o600);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
    throw new Error('no plain file');
  } catch (cause) {
    throw new AppError(
      'storage_unavailable',
      `checkpoints cannot be written to \`${path}\`: give another path in \`COUNTERSIGN_CHECKPOINT_FILE\`, or \`off\``,
      { cause },
    );
  }
}

/** Appends some of the bytes at least, and says how many; as `fs.writeSync` does. */
type Append = (fd: number, bytes: Uint8Array) => number;

/** What has to come before a checkpoint, so that it begins after an empty line: a write of before may have been cut. */
function gapBehind(fd: number): string {
  const { size } = fstatSync(fd);
  const tail = Buffer.alloc(Math.min(2, size));
  readSync(fd, tail, 0, tail.length, size - tail.length);
  const text = tail.toString('latin1');
  if (text === '' || text === '\n\n') return '';
  return text.endsWith('\n') ? '\n' : '\n\n';
}

/** Appends all of it or, as far as the file can be cut, nothing. */
function appendAll(fd: number, bytes: Uint8Array, append: Append): void {
  const { size } = fstatSync(fd);
  try {
    for (let done = 0; done < bytes.length; ) done += append(fd, bytes.subarray(done));
  } catch (error) {
    try {
      ftruncateSync(fd, size);
    } catch {
      // One that can only grow: the next checkpoint begins after what is there.
    }
    throw error;
  }
}

/**
 * Appends the newest checkpoint of each log, at most once an interval, each followed by an empty line. Copy
 * the file away: whoever holds an old line can tell whether the log was rewritten since. What cannot be written is
 * kept, or the newer one in its place, and told once until it can. Throws `storage_unavailable` where the file cannot
 * be opened.
 */
export function openCheckpointFile(
  path: string | undefined,
  onError: (error: unknown) => void,
  append: Append = writeSync,
): CheckpointFile {
  const latest = new Map<string, string>();
  if (path === undefined) return { note: () => {}, flush: () => {}, close: () => {} };
  const fd = open(path);
  let isKnownWhole = false;
  let isFailing = false;

  const write = (): void => {
    const gap = isKnownWhole ? '' : gapBehind(fd);
    isKnownWhole = false;
    const text = [...latest.values()].map((checkpoint) => `${checkpoint}\n`).join('');
    appendAll(fd, Buffer.from(gap + text, 'utf8'), append);
    fsyncSync(fd);
    isKnownWhole = true;
  };
  function flush(): void {
    if (latest.size === 0) return;
    try {
      write();
      latest.clear();
      isFailing = false;
    } catch (error) {
      if (!isFailing) onError(error);
      isFailing = true;
    }
  }
  return {
    note: (orgId, checkpoint) => void latest.set(orgId, checkpoint),
    flush,
    close() {
      flush();
      closeSync(fd);
    },
  };
}
