// Owns the reading of files that a command line names: one that cannot be used is wrong usage, and nothing was done.

import { isObject } from '@countersign/core/json';
import { strictText } from '@countersign/sdk/ledger/node-verifying';
import { readPlainFile, UnexpectedFileError } from '@countersign/sdk/ledger/read-export';
import { type Machine, UsageError } from './machine.ts';

/** Why the file system gave nothing at this path, as wrong usage that says what to do. */
export function unusable(path: string, error: unknown): UsageError {
  const code = isObject(error) && typeof error.code === 'string' ? error.code : 'unreadable';
  if (code === 'EISDIR') return new UsageError(`\`${path}\` is a folder: name a file`);
  return new UsageError(`\`${path}\` cannot be read (${code}); check the path and its permissions`);
}

/** A file's text, or that of standard input for `-`. Throws a UsageError that says what to do if there is none. */
export function readFile(machine: Machine, path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = machine.readBytes(path);
  } catch (error) {
    throw unusable(path, error);
  }
  return textOf(path, bytes);
}

/** The same of a file that cannot be empty. `next` says what to name instead. */
export function readFilled(machine: Machine, path: string, next: string): string {
  const text = readFile(machine, path);
  if (text.trim() !== '') return text;
  throw new UsageError(`\`${path}\` is empty: ${next}`);
}

/**
 * The bytes of a file that somebody handed over beside a log: as many as an entry's file has at the most, and without
 * waiting for a pipe. `next` says what to name instead. Throws a UsageError for one that is not there or holds nothing.
 */
export function readEvidence(path: string, next: string): Uint8Array {
  let bytes: Uint8Array | undefined;
  try {
    bytes = readPlainFile(path);
  } catch (error) {
    if (error instanceof UnexpectedFileError) throw new UsageError(`\`${path}\` is no file: ${next}`);
    throw unusable(path, error);
  }
  if (bytes === undefined) throw new UsageError(`there is no \`${path}\`: ${next}`);
  if (bytes.length === 0) throw new UsageError(`\`${path}\` is empty: ${next}`);
  return bytes;
}

/** The text of a file's bytes. Throws a UsageError for what is not UTF-8: no two files may read alike. */
export function textOf(path: string, bytes: Uint8Array): string {
  const text = strictText(bytes);
  if (text !== undefined) return text;
  throw new UsageError(`\`${path}\` is not UTF-8: check that it is the right file, or save it as UTF-8`);
}
