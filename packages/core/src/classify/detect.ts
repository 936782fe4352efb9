// Owns the pass over a text: one table lookup a character, and a detector where a character or word wakes one.

import { assertNever } from '../errors.ts';
import { alnum, codeAt, flagsAt, flagsOf, digit as isDigitFlag, startsAt, upper } from './characters.ts';
import { readLegend, readMarking } from './detect-banner.ts';
import { readMonth, seeBirthWord } from './detect-date.ts';
import { readColon, readEmail } from './detect-network.ts';
import { readBracket, readNumber, readPlus } from './detect-number.ts';
import { readAssigned, readBearer, readPrivateKey, readSecret } from './detect-secret.ts';
import { readIban } from './iban.ts';
import { type Keyword, keywordTable, slotOf } from './keywords.ts';
import { type Scan, startScan } from './scan.ts';
import type { Sink, Units } from './types.ts';

const none = 0;
const letters = 1;
const digits = 2;
const at = 3;
const colon = 4;
const plus = 5;
const bracket = 6;
const newline = 7;
const backslash = 8;

function makeKinds(): Uint8Array {
  const kinds = new Uint8Array(128);
  for (let c = 0; c < 128; c += 1) {
    const f = flagsOf(c);
    kinds[c] = (f & isDigitFlag) !== 0 ? digits : (f & alnum) !== 0 ? letters : none;
  }
  kinds[64] = at;
  kinds[58] = colon;
  kinds[43] = plus;
  kinds[40] = bracket;
  kinds[10] = newline;
  kinds[92] = backslash;
  return kinds;
}

const kinds = makeKinds();
const { slots, thirds, buckets } = keywordTable;

/** Hands the keyword at [start, end) to its detector. Returns where to go on, or 0 if it found nothing to skip. */
function wake(scan: Scan, word: Keyword, start: number, end: number): number {
  switch (word.role) {
    case 'phone':
      scan.phoneWord = end;
      return 0;
    case 'ssn':
      scan.ssnWord = end;
      return 0;
    case 'birth':
      seeBirthWord(scan, start, end);
      return 0;
    case 'month':
      return readMonth(scan, start, end);
    case 'secret':
      return readSecret(scan, start, word);
    case 'assigned':
      return readAssigned(scan, end);
    case 'bearer':
      return readBearer(scan, end);
    case 'pem':
      return readPrivateKey(scan, start);
    case 'acronym':
    case 'marking':
    case 'plain_marking':
      return readMarking(scan, start, end, word);
    case 'legend':
      return readLegend(scan, start, end);
    default:
      return assertNever(word.role);
  }
}

/** Tries the keywords that begin as the run [start, runEnd) does. Returns where to go on, at least `runEnd`. */
function readWord(scan: Scan, start: number, runEnd: number, bucket: readonly Keyword[]): number {
  for (const word of bucket) {
    if (!startsAt(scan.text, start, word.text, word.fold)) continue;
    const end = start + word.text.length;
    if (word.whole && (flagsAt(scan.text, end) & alnum) !== 0) continue;
    const next = wake(scan, word, start, end);
    if (next > runEnd) return next;
    if (word.role !== 'secret') return runEnd;
  }
  return runEnd;
}

function readLetters(scan: Scan, i: number, c: number): number {
  const { text } = scan;
  const n = text.length;
  let j = i + 1;
  while (j < n && (flagsOf(text[j] ?? 0) & alnum) !== 0) j += 1;
  if (j - i < 2) {
    if (c !== 68 && c !== 100) return j;
  } else if (j - i >= 4 && (flagsOf(c) & upper) !== 0) {
    const isIban =
      (flagsOf(text[i + 1] ?? 0) & upper) !== 0 &&
      (flagsOf(text[i + 2] ?? 0) & flagsOf(text[i + 3] ?? 0) & isDigitFlag) !== 0;
    if (isIban) {
      const end = readIban(scan, i);
      if (end !== 0) return end;
    }
  }
  const slot = slotOf(c, codeAt(text, i + 1));
  if ((((thirds[slot] ?? 0) >>> (codeAt(text, i + 2) & 31)) & 1) === 0) return j;
  const bucket = buckets[slots[slot] ?? 0];
  return bucket === undefined ? j : readWord(scan, i, j, bucket);
}

/**
 * Reports everything that the built-in detectors find in `text`, with code-unit offsets, without overlaps; not
 * strictly in order. Linear: each character is passed once, and what a detector looks ahead or behind is
 * bounded or shared. The text should have been normalised (normalise.ts).
 */
export function classifyText(text: Units, sink: Sink): void {
  const scan = startScan(text, sink);
  const n = text.length;
  let runStart = 0;
  let runEnd = -1;
  let i = 0;
  while (i < n) {
    const c = text[i] ?? 0;
    const kind = c < 128 ? (kinds[c] ?? none) : none;
    if (kind === none) i += 1;
    else if (kind === letters || kind === digits) {
      runStart = i;
      i = kind === letters ? readLetters(scan, i, c) : readNumber(scan, i);
      runEnd = i;
    } else if (kind === at) i = readEmail(scan, i);
    else if (kind === colon) i = readColon(scan, i, runStart, runEnd);
    else if (kind === plus) i = readPlus(scan, i);
    else if (kind === bracket) i = readBracket(scan, i);
    else if (kind === newline) {
      i += 1;
      scan.lineStart = i;
    } else {
      // An escape of a JSON string inside the text: its letter belongs to no word.
      const next = codeAt(text, i + 1);
      i += next === 110 || next === 114 || next === 116 ? 2 : 1;
      if (next === 110) scan.lineStart = i;
    }
  }
}
