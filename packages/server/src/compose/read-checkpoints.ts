// Owns finding the newest checkpoint of each log in a file to which checkpoints were appended, from its end.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { isObject } from '@countersign/core/json';
import {
  type Checkpoint,
  openCheckpoint,
  parseDecimal,
  parseSignedCheckpoint,
} from '@countersign/core/ledger/checkpoint';
import { checkNote, parseVerifierKey } from '@countersign/core/ledger/note';
import { partsOfOrigin } from '@countersign/core/ledger/origin';
import { sha256, utf8, verifyEd25519 } from '../services/ledger/crypto.ts';

/** A checkpoint that was kept, signed by its log's key: the note as it stands there, and what it says. */
export type HeldCheckpoint = { readonly note: string; readonly checkpoint: Checkpoint };

/** What is asked for: a log by its origin, and the key that must have signed. */
export type AskedLog = { readonly origin: string; readonly verifierKey: string };

/** How much of the end is looked through for every log, and further back for one that is not in it: bytes. */
const partBytes = 256 * 1024;
const mostBytes = 64 * 1024 * 1024;
/** Far within what a number holds. */
const mostEntries = 2 ** 50;
/** As much of a note as an entry can cite: signatures behind that are left out. */
const noteBytes = 8_000;

const crypto = { sha256, utf8, verifyEd25519 };

/** The note that begins here: three lines, an empty one, and as many whole signature lines as follow. */
function noteFrom(text: string): string {
  const lines = text.split('\n');
  const body = lines.indexOf('');
  let end = body + 1;
  while (end < lines.length - 1 && lines[end]?.startsWith('\u2014 ') === true) end += 1;
  return body < 0 ? '' : `${lines.slice(0, end).join('\n')}\n`;
}

/** Where the log's notes begin in some bytes, with their sizes. A line that is the origin alone begins one. */
function* beginnings(bytes: Buffer, origin: string): Generator<{ at: number; size: number }, void> {
  const line = Buffer.from(`\n${origin}\n`, 'utf8');
  for (let at = bytes.indexOf(line); at >= 0; at = bytes.indexOf(line, at + 1)) {
    const after = at + line.length;
    const size = parseDecimal(bytes.toString('latin1', after, after + 20).split('\n', 1)[0] ?? '');
    if (size !== undefined) yield { at: at + 1, size };
  }
}

/** The largest checkpoint of a log that its key has signed. `bytes` begin with a line feed. */
function largestIn(bytes: Buffer, { origin, verifierKey }: AskedLog): HeldCheckpoint | undefined {
  const key = parseVerifierKey(crypto, verifierKey);
  if (key === undefined) return undefined;
  const found = [...beginnings(bytes, origin)].sort((a, b) => b.size - a.size);
  for (const { at } of found) {
    const note = noteFrom(bytes.toString('utf8', at, at + noteBytes));
    const opened = openCheckpoint(crypto, note, key);
    if (opened.ok) return { note, checkpoint: opened.signed.checkpoint };
  }
  return undefined;
}

function readPart(fd: number, from: number, to: number): Buffer {
  const lead = from === 0 ? 1 : 0;
  const bytes = Buffer.alloc(lead + to - from, '\n');
  let done = lead;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, from + done - lead);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/**
 * The newest checkpoint of each of these logs in a file, by origin: the largest of those in the last 256 KiB; of a log
 * that has none there, of the next 256 KiB before, and so on for 64 MiB. Torn lines, other logs' notes and those that
 * another key has signed are passed over. Nothing of what is no plain file. Throws what the file system throws.
 */
export function newestInFile(path: string, logs: readonly AskedLog[]): ReadonlyMap<string, HeldCheckpoint> {
  const found = new Map<string, HeldCheckpoint>();
  for (const [, bytes] of partsOf(path)) {
    for (const log of logs.filter(({ origin }) => !found.has(origin))) {
      const held = largestIn(bytes, log);
      if (held !== undefined) found.set(log.origin, held);
    }
    if (found.size === logs.length) break;
  }
  return found;
}

/**
 * The origin of a log that has followed this one, if the file has a note of it that this log's key has signed, too: as
 * it does when it is closed. Looked for where a later log of the same owner stands in the last 256 KiB.
 */
export function successorIn(path: string, { origin, verifierKey }: AskedLog): string | undefined {
  const key = parseVerifierKey(crypto, verifierKey);
  const { first, number: own } = partsOfOrigin(origin);
  if (key === undefined) return undefined;
  for (const [part, bytes] of partsOf(path)) {
    const later = [...numbersIn(bytes, first)].filter(({ number }) => number > own);
    for (const { at } of later) {
      const signed = parseSignedCheckpoint(noteFrom(bytes.toString('utf8', at, at + noteBytes)));
      if (signed !== undefined && checkNote(crypto, signed.note, key) === 'valid')
        return signed.checkpoint.origin;
    }
    if (part === 0 && later.length === 0) return undefined;
  }
  return undefined;
}

/** Where lines begin that are an origin of this owner with a number. */
function* numbersIn(bytes: Buffer, first: string): Generator<{ at: number; number: number }, void> {
  const before = Buffer.from(`\n${first}/`, 'utf8');
  for (let at = bytes.indexOf(before); at >= 0; at = bytes.indexOf(before, at + 1)) {
    const after = at + before.length;
    const [number = ''] = bytes.toString('latin1', after, after + 8).split('\n', 1);
    if (/^[1-9][0-9]{0,4}$/.test(number)) yield { at: at + 1, number: Number(number) };
  }
}

/** What a file has of logs that have followed one, whoever signed. */
export type LaterLogs = {
  /** The largest number that one of them has, or the log's own. */
  readonly number: number;
  /** How many entries they have together, 2^50 at most. */
  readonly entries: number;
};

/** The logs that have followed this one, as far back as above. Nobody's signature is checked: their keys may be lost. */
export function laterLogsIn(path: string, origin: string): LaterLogs {
  const { first, number: own } = partsOfOrigin(origin);
  const sizes = new Map<number, number>();
  for (const [, bytes] of partsOf(path)) {
    for (const { at, number } of numbersIn(bytes, first)) {
      const [, text = ''] = bytes.toString('utf8', at, at + noteBytes).split('\n', 2);
      if (number > own) sizes.set(number, Math.max(sizes.get(number) ?? 0, parseDecimal(text) ?? 0));
    }
  }
  const entries = [...sizes.values()].reduce((sum, size) => Math.min(sum + size, mostEntries), 0);
  return { number: Math.max(own, ...sizes.keys()), entries };
}

/** The file's parts with their numbers, the last one first; none of what is no plain file. */
function* partsOf(path: string): Generator<readonly [part: number, bytes: Buffer], void> {
  // A pipe would be waited for.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const about = fstatSync(fd);
    if (!about.isFile()) return;
    const least = Math.max(0, about.size - mostBytes);
    let part = 0;
    for (let end = about.size; end > least; end -= partBytes) {
      const from = Math.max(0, end - partBytes - 1);
      // A note that begins in this part may end in the one behind it.
      yield [part, readPart(fd, from, Math.min(about.size, end + noteBytes))];
      part += 1;
    }
  } finally {
    closeSync(fd);
  }
}

function jsonNote(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && typeof value.checkpoint === 'string' ? value.checkpoint : undefined;
  } catch {
    return undefined;
  }
}

/** The largest checkpoint of each of these logs in a text that was kept: notes, or the JSON of the API with one. */
export function largestInText(text: string, logs: readonly AskedLog[]): ReadonlyMap<string, HeldCheckpoint> {
  const bytes = Buffer.from(`\n${jsonNote(text) ?? text}\n`, 'utf8');
  return new Map(
    logs.flatMap((log) => {
      const held = largestIn(bytes, log);
      return held === undefined ? [] : [[log.origin, held] as const];
    }),
  );
}
