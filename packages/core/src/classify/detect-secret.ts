// Owns credentials: keys by their issuers' shapes, JSON web tokens, named assignments and private keys.

import {
  alnum,
  blank,
  codeAt,
  digit,
  flagsAt,
  flagsOf,
  letter,
  skipWhile,
  startsAt,
  token,
  upper,
} from './characters.ts';
import type { Keyword } from './keywords.ts';
import { report, type Scan } from './scan.ts';

const dot = 46;

/**
 * The end of the base64url run that holds `i`.
 * INVARIANT: linear in total, because all starts inside one run share its end and it is measured once.
 */
function tokenEnd(scan: Scan, i: number): number {
  if (i >= scan.tokenStart && i < scan.tokenEnd) return scan.tokenEnd;
  scan.tokenStart = i;
  scan.tokenEnd = skipWhile(scan.text, i, token, scan.text.length);
  return scan.tokenEnd;
}

/**
 * Random text, as keys are: somewhere 12 letters and digits in a row that hold both. Hyphenated words
 * (`sk-fading-circle-container`) and rows of one letter are not. Looks at no more than 256 characters.
 */
function isRandom(scan: Scan, start: number, end: number): boolean {
  const limit = Math.min(end, start + 256);
  let length = 0;
  let kinds = 0;
  for (let i = start; i < limit; i += 1) {
    const f = flagsAt(scan.text, i);
    if ((f & alnum) === 0) {
      length = 0;
      kinds = 0;
      continue;
    }
    length += 1;
    kinds |= f & alnum;
    if (length >= 12 && (kinds & digit) !== 0 && (kinds & letter) !== 0) return true;
  }
  return false;
}

function isUpperKey(scan: Scan, start: number, end: number): boolean {
  return skipWhile(scan.text, start, upper | digit, end) === end;
}

/** A JSON web token (RFC 7519): three base64url parts, the first two beginning as JSON objects do. */
function readJwt(scan: Scan, start: number): number {
  const { text } = scan;
  const headerEnd = tokenEnd(scan, start);
  if (
    headerEnd - start < 13 ||
    codeAt(text, headerEnd) !== dot ||
    !startsAt(text, headerEnd + 1, 'eyJ', false)
  )
    return 0;
  const bodyEnd = tokenEnd(scan, headerEnd + 1);
  if (codeAt(text, bodyEnd) !== dot) return 0;
  const end = tokenEnd(scan, bodyEnd + 1);
  return report(scan, 'api_key', start, Math.max(end, bodyEnd + 1));
}

/** A key whose prefix is the keyword at `start`. Returns its end, or 0. */
export function readSecret(scan: Scan, start: number, word: Keyword): number {
  if (word.text === 'eyJ') return readJwt(scan, start);
  const body = start + word.text.length;
  const end = tokenEnd(scan, body);
  const length = end - body;
  if (length < word.least || length > word.most) return 0;
  const isAws = word.text === 'AKIA' || word.text === 'ASIA';
  if (isAws ? !isUpperKey(scan, body, end) : !isRandom(scan, body, end)) return 0;
  return report(scan, 'api_key', start, end);
}

/**
 * The end of a value that somebody assigns: base64, base64url, hexadecimal, dotted tokens, padding at the end.
 * INVARIANT: linear in total, because it stops at `=`, `:` and blanks, one of which each assignment needs.
 */
function valueEnd(scan: Scan, start: number): number {
  let i = start;
  for (const limit = Math.min(scan.text.length, start + 512); i < limit; i += 1) {
    const c = scan.text[i] ?? 0;
    if ((flagsOf(c) & token) === 0 && c !== 43 && c !== 47 && c !== dot && c !== 126) break;
  }
  for (let k = 0; k < 2 && codeAt(scan.text, i) === 61; k += 1) i += 1;
  return i;
}

function readValue(scan: Scan, start: number): number {
  const end = valueEnd(scan, start);
  return end - start >= 20 && isRandom(scan, start, end) ? report(scan, 'api_key', start, end) : 0;
}

/** `api_key = "…"`: at most 6 of blank, quote, colon, equals, `>` and backslash, one of them an assignment. */
export function readAssigned(scan: Scan, end: number): number {
  let i = end;
  let isAssigned = false;
  for (; i < end + 6; i += 1) {
    const c = codeAt(scan.text, i);
    if (c === 58 || c === 61) isAssigned = true;
    else if ((flagsOf(c) & blank) === 0 && c !== 34 && c !== 39 && c !== 62 && c !== 92) break;
  }
  return isAssigned ? readValue(scan, i) : 0;
}

/** `Bearer …` (RFC 6750). */
export function readBearer(scan: Scan, end: number): number {
  return readValue(scan, end);
}

const headerMarks: ReadonlySet<number> = new Set([...':,.-()'].map((c) => c.charCodeAt(0)));

/**
 * A private key in PEM (RFC 7468) or PGP armor; `start` is at `BEGIN `. The finding covers the body up to the
 * closing line. Text inside is not examined for other labels.
 */
export function readPrivateKey(scan: Scan, start: number): number {
  const { text } = scan;
  if (!startsAt(text, start - 5, '-----', false)) return 0;
  const nameEnd = skipWhile(text, start + 6, upper | digit | blank, start + 54);
  if (!startsAt(text, nameEnd, '-----', false)) return 0;
  const isKey = startsAt(text, nameEnd - 11, 'PRIVATE KEY', false);
  if (!isKey && !startsAt(text, nameEnd - 17, 'PRIVATE KEY BLOCK', false)) return 0;
  const body = nameEnd + 5;
  let end = body;
  for (; end < text.length; end += 1) {
    const c = text[end] ?? 0;
    const isBase64 = (flagsOf(c) & (alnum | blank)) !== 0 || c === 43 || c === 47 || c === 61;
    if (isBase64 || c === 10 || c === 13 || c === 92) continue;
    if (startsAt(text, end, '-----END ', false)) {
      const close = skipWhile(text, end + 9, upper | digit | blank, end + 57);
      end = startsAt(text, close, '-----', false) ? close + 5 : close;
      break;
    }
    if (end > body + 200 || !headerMarks.has(c)) break;
  }
  return report(scan, 'private_key', start - 5, end);
}
