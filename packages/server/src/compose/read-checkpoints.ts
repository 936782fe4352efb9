// Owns finding the newest checkpoint of each log in a file to which checkpoints were appended, from its end.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { isObject } from '@countersign/core/json';
import {
  type Checkpoint,
  openCheckpoint,
  parseDecimal,
  parseSignedCheckpoint,
} from '@countersign/core/ledger/checkpoint';
import { checkNote, parseVerifierKey, type VerifierKey } from '@countersign/core/ledger/note';
import { partsOfOrigin } from '@countersign/core/ledger/origin';
import { parseJson } from '@countersign/core/parse-json';
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
/**
 * So many notes that are none are checked in one file, at some 0.2 ms each: who can write into it can write more of
 * them than a start may take time for.
 */
const mostFalse = 2_000;

const crypto = { sha256, utf8, verifyEd25519 };

/** The third line of a checkpoint: 32 bytes in base64. */
const rootLine = /^[A-Za-z0-9+/]{43}=$/;

/** A note that has the form of a checkpoint of ours, which has no further lines. Who has signed it is not known yet. */
type Likely = { readonly note: string; readonly origin: string; readonly size: number };

/** The note that begins at this line: three lines, an empty one, and as many whole signature lines as an entry can cite. */
function likelyAt(lines: readonly string[], at: number): Likely | undefined {
  const [origin = '', sizeLine = '', root = '', empty] = lines.slice(at, at + 4);
  const size = parseDecimal(sizeLine);
  if (size === undefined || empty !== '' || !rootLine.test(root)) return undefined;
  let note = `${origin}\n${sizeLine}\n${root}\n\n`;
  const { length } = note;
  // What stands behind the last line feed may go on in the file.
  for (let next = at + 4; next < lines.length - 1; next += 1) {
    const line = lines[next] ?? '';
    if (!line.startsWith('\u2014 ') || note.length + line.length >= noteBytes) break;
    note += `${line}\n`;
  }
  return note.length === length ? undefined : { note, origin, size };
}

/** What may be a checkpoint, the largest first, of the origins that are asked for: one walk over the lines. */
function likelyIn(text: string, isAsked: (line: string) => boolean): readonly Likely[] {
  const lines = text.split('\n');
  const found: Likely[] = [];
  for (const [at, line] of lines.entries()) {
    const likely = isAsked(line) ? likelyAt(lines, at) : undefined;
    if (likely !== undefined) found.push(likely);
  }
  return found.sort((a, b) => b.size - a.size);
}

/** The logs that are looked for, with their keys, and how many more notes may turn out to be none. */
type Sought = { readonly keys: Map<string, VerifierKey>; falseLeft: number };

function soughtOf(logs: readonly AskedLog[], falseLeft: number): Sought {
  const keys = new Map<string, VerifierKey>();
  for (const { origin, verifierKey } of logs) {
    const key = parseVerifierKey(crypto, verifierKey);
    if (key !== undefined) keys.set(origin, key);
  }
  return { keys, falseLeft };
}

/** Moves from `sought` to `found` each log that has signed a note in this text: the largest. */
function takeFound(text: string, sought: Sought, found: Map<string, HeldCheckpoint>): void {
  const { keys } = sought;
  for (const { note, origin } of likelyIn(text, (line) => keys.has(line))) {
    const key = keys.get(origin);
    if (key === undefined) continue;
    if (sought.falseLeft === 0) return;
    const opened = openCheckpoint(crypto, note, key);
    if (opened.ok) {
      found.set(origin, { note, checkpoint: opened.signed.checkpoint });
      keys.delete(origin);
    } else sought.falseLeft -= 1;
  }
}

function readPart(fd: number, from: number, to: number): string {
  const bytes = Buffer.alloc(to - from);
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, from + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.toString('utf8', 0, done);
}

/**
 * The newest checkpoint of each of these logs in a file, by origin: the largest of those in the last 256 KiB; of a log
 * that has none there, of the next 256 KiB before, and so on for 64 MiB. Torn lines, other logs' notes and those that
 * another key has signed are passed over; behind 2,000 of these nothing is looked for, of which `onFlooded` hears.
 * Nothing of what is no plain file. Throws what the file system throws.
 */
export function newestInFile(
  path: string,
  logs: readonly AskedLog[],
  onFlooded: () => void = () => {},
): ReadonlyMap<string, HeldCheckpoint> {
  const found = new Map<string, HeldCheckpoint>();
  const sought = soughtOf(logs, mostFalse);
  for (const [, text] of partsOf(path)) {
    takeFound(text, sought, found);
    if (sought.falseLeft === 0) onFlooded();
    if (sought.falseLeft === 0 || sought.keys.size === 0) break;
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
  let checks = mostFalse;
  for (const [part, text] of partsOf(path)) {
    const later = likelyIn(text, (line) => (numberOf(line, first) ?? 0) > own);
    for (const { note, origin: successor } of later) {
      if (checks === 0) return undefined;
      checks -= 1;
      const signed = parseSignedCheckpoint(note);
      if (signed !== undefined && checkNote(crypto, signed.note, key) === 'valid') return successor;
    }
    if (part === 0 && later.length === 0) return undefined;
  }
  return undefined;
}

/** The number in a line that is an origin of this owner with one. */
function numberOf(line: string, first: string): number | undefined {
  if (!line.startsWith(first) || line[first.length] !== '/') return undefined;
  const number = line.slice(first.length + 1);
  return /^[1-9][0-9]{0,4}$/.test(number) ? Number(number) : undefined;
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
  for (const [, text] of partsOf(path)) {
    const lines = text.split('\n');
    for (const [at, line] of lines.entries()) {
      const number = numberOf(line, first) ?? 0;
      if (number > own)
        sizes.set(number, Math.max(sizes.get(number) ?? 0, parseDecimal(lines[at + 1] ?? '') ?? 0));
    }
  }
  const entries = [...sizes.values()].reduce((sum, size) => Math.min(sum + size, mostEntries), 0);
  return { number: Math.max(own, ...sizes.keys()), entries };
}

/** The file's parts with their numbers, the last one first; none of what is no plain file. */
function* partsOf(path: string): Generator<readonly [part: number, text: string], void> {
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
    const value: unknown = parseJson(text);
    return isObject(value) && typeof value.checkpoint === 'string' ? value.checkpoint : undefined;
  } catch {
    return undefined;
  }
}

/** The largest checkpoint of each of these logs in a text that was kept: notes, or the JSON of the API with one. */
export function largestInText(text: string, logs: readonly AskedLog[]): ReadonlyMap<string, HeldCheckpoint> {
  const found = new Map<string, HeldCheckpoint>();
  takeFound(`${jsonNote(text) ?? text}\n`, soughtOf(logs, Number.POSITIVE_INFINITY), found);
  return found;
}
