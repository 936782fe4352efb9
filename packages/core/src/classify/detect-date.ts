// Owns dates of birth: dates in their usual shapes, counted only beside a word that speaks of birth.

import { alnum, blank, codeAt, digit, flagsAt, flagsOf, letter, skipWhile, startsAt } from './characters.ts';
import { backReach, report, type Scan, wordReach } from './scan.ts';

const dot = 46;
const comma = 44;
const hyphen = 45;

/** The value of the digits in [start, end), at most 9 of them. */
export function numberAt(scan: Scan, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i += 1) value = value * 10 + (scan.text[i] ?? 0) - 48;
  return value;
}

function isYear(year: number, digits: number): boolean {
  return digits === 4 ? year >= 1880 && year <= 2039 : digits === 2;
}

/** Day and month in either order: 31/12 and 12/31 are both written. */
function isDayAndMonth(a: number, b: number): boolean {
  return a >= 1 && b >= 1 && a <= 31 && b <= 31 && (a <= 12 || b <= 12);
}

/** True when a birth word stands at most `wordReach` before `start`, or the last birth date just before it. */
export function isNearBirthWord(scan: Scan, start: number): boolean {
  if (start - scan.birthWord <= wordReach) return true;
  return start - scan.birthDateEnd <= 4;
}

/** A date at [start, end): counted beside a birth word, else kept in case the word follows. Returns `end`. */
export function seeDate(scan: Scan, start: number, end: number): number {
  if (isNearBirthWord(scan, start)) {
    scan.birthWord = -1_000_000;
    if (report(scan, 'birth_date', start, end) !== 0) scan.birthDateEnd = end;
  } else {
    scan.looseDateStart = start;
    scan.looseDateEnd = end;
  }
  return end;
}

/** Three groups of digits as a date: year first, or year last. Returns whether they are one. */
export function isDate(scan: Scan, start: number): boolean {
  const { length, end, separator } = scan.groups;
  const [l0 = 0, l1 = 0, l2 = 0] = length;
  const [e0 = 0, e1 = 0, e2 = 0] = end;
  const s0 = separator[0] ?? 0;
  if (s0 !== separator[1] || s0 === 32 || l1 > 2) return false;
  const a = numberAt(scan, start, e0);
  const b = numberAt(scan, e0 + 1, e1);
  const c = numberAt(scan, e1 + 1, e2);
  if (l0 === 4) return l2 <= 2 && isYear(a, 4) && isDayAndMonth(b, c);
  if (l0 > 2 || !isYear(c, l2) || !isDayAndMonth(a, b)) return false;
  return l2 === 4 || isNearBirthWord(scan, start);
}

/** `19800312` beside a birth word. */
export function isCompactDate(scan: Scan, start: number): boolean {
  const year = numberAt(scan, start, start + 4);
  const month = numberAt(scan, start + 4, start + 6);
  const day = numberAt(scan, start + 6, start + 8);
  return isYear(year, 4) && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/** A birth word ends at `end`: a date shortly before it, parted by no more than words and blanks, counts too. */
export function seeBirthWord(scan: Scan, start: number, end: number): void {
  scan.birthWord = end;
  const from = scan.looseDateEnd;
  if (start - from > backReach || start < from) return;
  for (let i = from; i < start; i += 1) {
    const c = scan.text[i] ?? 0;
    if ((flagsOf(c) & (letter | blank)) === 0 && c !== 40 && c !== hyphen) return;
  }
  report(scan, 'birth_date', scan.looseDateStart, from);
  scan.looseDateEnd = -1_000_000;
}

/** Skips `st`, `nd`, `rd`, `th` after a day. */
function skipOrdinal(scan: Scan, i: number): number {
  const isOrdinal = ['st', 'nd', 'rd', 'th'].some((suffix) => startsAt(scan.text, i, suffix, true));
  return isOrdinal ? i + 2 : i;
}

/** Skips at most two of blank, dot, comma, hyphen, and the particle `de` or `of`. */
function skipGap(scan: Scan, i: number): number {
  let j = i;
  for (let k = 0; k < 2; k += 1) {
    const c = codeAt(scan.text, j);
    if ((flagsOf(c) & blank) !== 0 || c === dot || c === comma || c === hyphen || c === 160) j += 1;
  }
  const isParticle = startsAt(scan.text, j, 'de ', true) || startsAt(scan.text, j, 'of ', true);
  return isParticle ? j + 3 : j;
}

/** Where the day before a month's name begins (`12 March`, `12. März`, `12th of March`), or -1. */
function dayBefore(scan: Scan, month: number): number {
  let j = month - 1;
  for (let k = 0; k < 2; k += 1) {
    const c = codeAt(scan.text, j);
    if ((flagsOf(c) & blank) !== 0 || c === dot || c === hyphen || c === 160) j -= 1;
  }
  if (startsAt(scan.text, j - 1, 'of', true) || startsAt(scan.text, j - 1, 'de', true)) j -= 3;
  if ((flagsAt(scan.text, j) & letter) !== 0 && skipOrdinal(scan, j - 1) === j + 1) j -= 2;
  let start = j;
  while (start >= 0 && start > j - 3 && (flagsAt(scan.text, start) & digit) !== 0) start -= 1;
  const length = j - start;
  if (length < 1 || length > 2 || (flagsAt(scan.text, start) & alnum) !== 0) return -1;
  const day = numberAt(scan, start + 1, j + 1);
  return day >= 1 && day <= 31 ? start + 1 : -1;
}

/** A year of four digits at `i`, its end or 0. */
function yearEnd(scan: Scan, i: number): number {
  const end = skipWhile(scan.text, i, digit, i + 5);
  return end - i === 4 && isYear(numberAt(scan, i, end), 4) ? end : 0;
}

/** A date around a month's name at [start, end): `12 March 1980`, `March 12th, 1980`. Returns where to go on. */
export function readMonth(scan: Scan, start: number, end: number): number {
  const next = skipGap(scan, end);
  const year = yearEnd(scan, next);
  if (year !== 0) {
    const day = dayBefore(scan, start);
    return day < 0 ? end : seeDate(scan, day, year);
  }
  const dayEnd = skipWhile(scan.text, next, digit, next + 3);
  if (dayEnd === next || dayEnd - next > 2) return end;
  const after = yearEnd(scan, skipGap(scan, skipOrdinal(scan, dayEnd)));
  return after === 0 ? end : seeDate(scan, start, after);
}
