// Owns reading an export from a directory: files by their path in the log, their list, and lines of copies.

import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** No file that is read whole may be larger: 256 entries of 65,535 bytes with their lengths. */
const maxFileBytes = 256 * 65_537;

/** The files beside the tiles. */
export const exportFiles = {
  checkpoint: 'checkpoint',
  /** The newest checkpoint that witnesses have cosigned, where any has: of this tree, or of its beginning. */
  cosigned: 'checkpoint.cosigned',
  vkey: 'vkey',
  /** The note by which the key of the log that this one continues has handed over to it, where there is one. */
  succession: 'succession',
  /** Copy: one entry a line. */
  entries: 'entries.jsonl',
  /** Copy: the leaf hash of the same line in hex. */
  leaves: 'leaf-hashes.txt',
} as const;

export type ExportDirectory = {
  /**
   * The bytes of a file, or undefined if there is none. Of a file beyond all bounds only the first part. Throws
   * `UnexpectedFileError` for a link and for what is no file.
   */
  readonly read: (path: string) => Uint8Array | undefined;
  /**
   * What lies under `tile/`, in no order: each file by its path with `/` between its parts, and, with `plain: false`,
   * whatever an export never has there: links, special files, directories of other names. Those are not gone into.
   */
  readonly list: () => Generator<Listed, void>;
  /** True when there is something of this name. */
  readonly has: (path: string) => boolean;
  /** The lines of a file without their line feeds; a last line without one is given with `ended: false`. */
  readonly lines: (path: string) => Generator<{ readonly bytes: Uint8Array; readonly ended: boolean }, void>;
};

export type Listed = { readonly path: string; readonly plain: boolean };

/** A link, or what is no file, where an export has a file: who made it could lead the reader anywhere. */
export class UnexpectedFileError extends Error {
  /** Its path in the export. */
  readonly file: string;
  constructor(file: string) {
    super(`\`${file}\` is a link, or no file`);
    this.name = 'UnexpectedFileError';
    this.file = file;
  }
}

/** Opens a directory that was exported. Reads nothing yet; throws nothing for files that are missing. */
export function openExport(directory: string): ExportDirectory {
  const real = new Set<string>();
  const open = (path: string): number | undefined => {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const above = parts.slice(0, depth).join('/');
      if (real.has(above)) continue;
      const found = lstatSync(join(directory, above), { throwIfNoEntry: false });
      if (found === undefined) return undefined;
      if (!found.isDirectory()) throw new UnexpectedFileError(above);
      real.add(above);
    }
    return openFile(join(directory, path), path, constants.O_NOFOLLOW);
  };
  return {
    read: (path) => readBounded(open(path)),
    list: () => listTiles(directory),
    has: (path) => lstatSync(join(directory, path), { throwIfNoEntry: false }) !== undefined,
    lines: (path) => readLines(open(path)),
  };
}

/** Names of directories under `tile/`: of levels, then of groups of digits and of partial tiles. */
const levelName = /^(?:entries|0|[1-9][0-9]?)$/;
const groupName = /^(?:x[0-9]{3}|[0-9]{3}\.p)$/;
/** A tile's index has at most sixteen digits, three a group; below the last group may be a partial tile. */
const deepest = 7;

function* listTiles(directory: string): Generator<Listed, void> {
  const root = lstatSync(join(directory, 'tile'), { throwIfNoEntry: false });
  if (root === undefined) return;
  if (!root.isDirectory()) yield { path: 'tile', plain: false };
  else yield* listUnder(directory, 'tile', 0);
}

function* listUnder(directory: string, path: string, depth: number): Generator<Listed, void> {
  const open = opendirSync(join(directory, path));
  try {
    for (let item = open.readSync(); item !== null; item = open.readSync()) {
      const below = `${path}/${item.name}`;
      // Some file systems do not say in a directory's list what an item is.
      const found = lstatSync(join(directory, below), { throwIfNoEntry: false });
      const isDirectory = found?.isDirectory() === true;
      const isNamed = (depth === 0 ? levelName : groupName).test(item.name);
      if (isDirectory && isNamed && depth < deepest) yield* listUnder(directory, below, depth + 1);
      else yield { path: below, plain: found?.isFile() === true };
    }
  } finally {
    open.closeSync();
  }
}

/**
 * A file beside an export, such as a receipt: its bytes, at most as many as an export's file has, or undefined if there
 * is none. Goes where a link leads. Throws `UnexpectedFileError` for what is no file, and does not wait for a pipe.
 */
export function readPlainFile(file: string): Uint8Array | undefined {
  return readBounded(openFile(file, file, 0));
}

/** Opens without waiting for the other end of a pipe. `path` is for the error. */
function openFile(file: string, path: string, more: number): number | undefined {
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | more);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // A link, or a socket.
    if (code === 'ELOOP' || code === 'ENXIO') throw new UnexpectedFileError(path);
    throw error;
  }
  if (fstatSync(handle).isFile()) return handle;
  closeSync(handle);
  throw new UnexpectedFileError(path);
}

function readBounded(handle: number | undefined): Uint8Array | undefined {
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

function* readLines(
  handle: number | undefined,
): Generator<{ readonly bytes: Uint8Array; readonly ended: boolean }, void> {
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
