// Owns the classes of ASCII characters that the detectors ask about, one table lookup each.

import type { Units } from './types.ts';

export const digit = 1;
export const upper = 2;
export const lower = 4;
export const hex = 8;
/** `-` and `_`: with letters and digits, the alphabet of base64url (RFC 4648 section 5). */
export const urlMark = 16;
/** What an e-mail's local part holds besides letters and digits: the part of RFC 5322 atext that is in use. */
export const localMark = 32;
/** Space and tab. */
export const blank = 64;
/** What may stand around a marking: brackets, rules, stars, quotes. */
export const decor = 128;
export const letter = upper | lower;
export const alnum = upper | lower | digit;
export const token = alnum | urlMark;

function makeFlags(): Uint8Array {
  const flags = new Uint8Array(128);
  const mark = (chars: string, flag: number): void => {
    for (let i = 0; i < chars.length; i += 1) {
      const c = chars.charCodeAt(i);
      flags[c] = (flags[c] ?? 0) | flag;
    }
  };
  mark('0123456789', digit | hex);
  mark('ABCDEF', hex);
  mark('abcdef', hex);
  mark('ABCDEFGHIJKLMNOPQRSTUVWXYZ', upper);
  mark('abcdefghijklmnopqrstuvwxyz', lower);
  mark('-_', urlMark);
  mark("._%+-'", localMark);
  mark(' \t', blank);
  mark(' \t*#=-_~|()[]{}<>"\'`./', decor);
  return flags;
}

const flags = makeFlags();

/** The class bits of one UTF-16 code unit; 0 for everything that is not ASCII. */
export function flagsOf(c: number): number {
  return c < 128 ? (flags[c] ?? 0) : 0;
}

/** The code unit at `i`, or 0 outside the text. */
export function codeAt(text: Units, i: number): number {
  return i >= 0 && i < text.length ? (text[i] ?? 0) : 0;
}

export function flagsAt(text: Units, i: number): number {
  return flagsOf(codeAt(text, i));
}

/** The first index at or after `i`, at most `limit`, whose character has none of the bits in `mask`. */
export function skipWhile(text: Units, i: number, mask: number, limit: number): number {
  const end = Math.min(limit, text.length);
  let j = i;
  while (j < end && (flagsOf(text[j] ?? 0) & mask) !== 0) j += 1;
  return j;
}

/** `word` (lower case when `fold`) stands at `i`. */
export function startsAt(text: Units, i: number, word: string, fold: boolean): boolean {
  if (i + word.length > text.length) return false;
  for (let k = 0; k < word.length; k += 1) {
    let c = text[i + k] ?? 0;
    if (fold && c >= 65 && c <= 90) c += 32;
    if (c !== word.charCodeAt(k)) return false;
  }
  return true;
}
