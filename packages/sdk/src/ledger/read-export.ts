// Owns reading an export from a directory: files by their path in the log, their list, and lines of copies.

import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, sep } from 'node:path';

/** No file that is read whole may be larger: 256 entries of 65,535 bytes with their lengths. */
const maxFileBytes = 256 * 65_537;

/** The files beside the tiles. */
export const exportFiles = {
  checkpoint: 'checkpoint',
  vkey: 'vkey',
  /** Copy: one entry a line. */
  entries: 'entries.jsonl',
  /** Copy: the leaf hash of the same line in hex. */
  leaves: 'leaf-hashes.txt',
} as const;

export type ExportDirectory = {
  /** The bytes of a file, or undefined if there is none. Of a file beyond all bounds only the first part. */
  readonly read: (path: string) => Uint8Array | undefined;
  /** Every file's path with `/` between its parts, in no order. */
  readonly list: () => readonly string[];
  /** The lines of a file without their line feeds; a last line without one is given with `ended: false`. */
  readonly lines: (path: string) => Generator<{ readonly bytes: Uint8Array; readonly ended: boolean }, void>;
};

/** Opens a directory that was exported. Reads nothing yet; throws nothing for files that are missing. */
export function openExport(directory: string): ExportDirectory {
  const locate = (path: string) => join(directory, ...path.split('/'));
  return {
    read: (path) => readBounded(locate(path)),
    list: () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((item) => !item.isDirectory())
        .map((item) =>
          join(item.parentPath, item.name).slice(join(directory, sep).length).split(sep).join('/'),
        ),
    lines: (path) => readLines(locate(path)),
  };
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function readBounded(file: string): Uint8Array | undefined {
  const handle = openIfThere(file);
  if (handle === undefined) return undefined;
  try {
    let buffer = Buffer.allocUnsafe(65_536);
    let length = 0;
    for (;;) {
      const count = readSync(handle, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0 || length > maxFileBytes) return buffer.subarray(0, length);
      if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 4);
    }
  } finally {
    closeSync(handle);
  }
}

function* readLines(file: string): Generator<{ readonly bytes: Uint8Array; readonly ended: boolean }, void> {
  const handle = openIfThere(file);
  if (handle === undefined) return;
  try {
    let rest = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(1_048_576);
      const count = readSync(handle, chunk, 0, chunk.length, null);
      const data = Buffer.concat([rest, chunk.subarray(0, count)]);
      let start = 0;
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, start)) {
        yield { bytes: data.subarray(start, end), ended: true };
        start = end + 1;
      }
      rest = data.subarray(start);
      // A line without end must not fill the memory: what is longer than any entry is given up as it is.
      if (count === 0 || rest.length > maxFileBytes) break;
    }
    if (rest.length > 0) yield { bytes: rest, ended: false };
  } finally {
    closeSync(handle);
  }
}
