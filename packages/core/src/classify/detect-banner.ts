// Owns handling markings: banners and legends that say a document is controlled, not prose about them.

import { blank, codeAt, decor, flagsAt, flagsOf, lower, skipWhile, upper } from './characters.ts';
import type { Keyword } from './keywords.ts';
import { report, type Scan } from './scan.ts';

const newline = 10;
const returned = 13;
const slash = 47;
const colon = 58;
const backslash = 92;
const lineReach = 100;
const edgeReach = 24;

function isDash(c: number): boolean {
  return c === 45 || c === 0x2013 || c === 0x2014;
}

/** Nothing but brackets, rules and blanks stands between the line's start and `i`. */
function isAtLineStart(scan: Scan, i: number): boolean {
  if (i - scan.lineStart > edgeReach) return false;
  return skipWhile(scan.text, scan.lineStart, decor, i) === i;
}

/** The line ends at `i`: the text's end, a line break, or `\n` written out in a JSON string. */
function endsLine(scan: Scan, i: number): boolean {
  const c = codeAt(scan.text, i);
  return (
    i >= scan.text.length ||
    c === newline ||
    c === returned ||
    (c === backslash && codeAt(scan.text, i + 1) === 110)
  );
}

function isAtLineEnd(scan: Scan, i: number): boolean {
  return endsLine(scan, skipWhile(scan.text, i, decor, i + edgeReach));
}

/** Blanks, then a dash or a bar and a blank; or a tab or two blanks; or a colon. */
function isParted(scan: Scan, i: number): boolean {
  const c = codeAt(scan.text, i);
  const next = codeAt(scan.text, i + 1);
  if (c === colon || c === 9) return true;
  if (c !== 32) return false;
  return next === 32 || ((isDash(next) || next === 124) && (flagsAt(scan.text, i + 2) & blank) !== 0);
}

/** The same before `i`, without the colon. */
function isPartedBefore(scan: Scan, i: number): boolean {
  const c = codeAt(scan.text, i - 1);
  const next = codeAt(scan.text, i - 2);
  if (c === 9) return true;
  if (c !== 32) return false;
  return next === 32 || ((isDash(next) || next === 124) && (flagsAt(scan.text, i - 3) & blank) !== 0);
}

/** No lower-case letter from `i` to the end of the line, which lies at most `lineReach` ahead. */
function isUpperToEnd(scan: Scan, i: number): boolean {
  for (let j = i; j <= i + lineReach; j += 1) {
    if (endsLine(scan, j)) return true;
    if ((flagsAt(scan.text, j) & lower) !== 0) return false;
  }
  return false;
}

function isUpperFromStart(scan: Scan, i: number): boolean {
  if (i - scan.lineStart > lineReach) return false;
  for (let j = scan.lineStart; j < i; j += 1) if ((flagsAt(scan.text, j) & lower) !== 0) return false;
  return true;
}

/** A control block such as `//SP-CTI//NOFORN` after a marking: its end, or `i` if there is none. */
function controlsEnd(scan: Scan, i: number): number {
  if (codeAt(scan.text, i) !== slash || codeAt(scan.text, i + 1) !== slash) return i;
  if ((flagsAt(scan.text, i + 2) & upper) === 0) return i;
  let end = i;
  for (let j = i; j < i + lineReach; j += 1) {
    const c = codeAt(scan.text, j);
    if ((flagsOf(c) & upper) !== 0 || (c >= 48 && c <= 57)) end = j + 1;
    else if (c !== slash && c !== 45 && c !== 44 && c !== 32) break;
    else if (c === 32 && (flagsAt(scan.text, j + 2) & lower) !== 0) break;
  }
  return end;
}

function banner(scan: Scan, start: number, end: number): number {
  return report(scan, 'controlled', start, end);
}

/** A marking that only its repetition makes a banner: the second reports the first too. */
function seeWeak(scan: Scan, start: number, end: number): number {
  scan.weakCount += 1;
  if (scan.weakCount === 1) {
    scan.weakStart = start;
    scan.weakEnd = end;
    return end;
  }
  // The first was passed over at once, so nothing else covers it.
  if (scan.weakCount === 2) scan.sink('controlled', scan.weakStart, scan.weakEnd);
  return banner(scan, start, end);
}

/**
 * The marking `word` at [start, end). It is a banner when a control block follows, when it stands alone on its
 * line, or at an edge of a line in capitals or parted from the rest; words in a sentence never are.
 */
export function readMarking(scan: Scan, start: number, end: number, word: Keyword): number {
  const { text } = scan;
  const after = codeAt(text, end);
  const before = codeAt(text, start - 1);
  if (after === 95 || after === 61 || before === 95) return end;
  const controls = controlsEnd(scan, end);
  if (controls > end) return banner(scan, start, controls);
  if (before === slash && codeAt(text, start - 2) === slash && (flagsAt(text, start - 3) & upper) !== 0) {
    return banner(scan, start, end);
  }
  const isFirst = isAtLineStart(scan, start);
  const isLast = isAtLineEnd(scan, end);
  if (isFirst && isLast) return banner(scan, start, end);
  const isPortion = isFirst && before === 40 && after === 41 && word.role === 'acronym';
  if (isPortion) return banner(scan, start, end);
  if (word.role === 'plain_marking') {
    const isSet = isFirst && after !== colon && isParted(scan, end) && isUpperToEnd(scan, end);
    return isSet ? banner(scan, start, end) : end;
  }
  if (isFirst && isUpperToEnd(scan, end)) return banner(scan, start, end);
  if (isLast && isUpperFromStart(scan, start)) return banner(scan, start, end);
  if (word.role === 'acronym') return end;
  if ((isFirst && isParted(scan, end)) || (isLast && isPartedBefore(scan, start)))
    return banner(scan, start, end);
  return isFirst || isLast ? seeWeak(scan, start, end) : end;
}

/** A legend names its law or its handling in full and counts wherever it stands. */
export function readLegend(scan: Scan, start: number, end: number): number {
  const isPartOfName = codeAt(scan.text, end) === 95 || codeAt(scan.text, start - 1) === 95;
  return isPartOfName ? end : banner(scan, start, end);
}
