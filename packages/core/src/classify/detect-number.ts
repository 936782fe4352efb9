// Owns what numbers may be: payment cards, social security numbers, phones, IPv4 addresses and dates.

import { isIssued, passesLuhn } from './card.ts';
import { alnum, blank, codeAt, digit, flagsAt, flagsOf, letter, skipWhile } from './characters.ts';
import { isCompactDate, isDate, isNearBirthWord, numberAt, seeDate } from './detect-date.ts';
import { report, type Scan, wordReach } from './scan.ts';

const blankCode = 32;
const hyphen = 45;
const dot = 46;
const slash = 47;

function isSeparator(c: number): boolean {
  return c === blankCode || c === hyphen || c === dot || c === slash;
}

/** A number that ends at `end` is whole: no letter follows, no further digits behind `-`, `.` or `_`. */
function isWhole(scan: Scan, end: number): boolean {
  const c = codeAt(scan.text, end);
  if ((flagsOf(c) & alnum) !== 0 || c === 95) return false;
  return !((c === hyphen || c === dot) && (flagsAt(scan.text, end + 1) & digit) !== 0);
}

/** A number at `i` goes on from one before it: `1.2.`, `12-`, `3/`. */
function isContinued(scan: Scan, i: number): boolean {
  const c = codeAt(scan.text, i - 1);
  return (c === dot || c === hyphen || c === slash) && (flagsAt(scan.text, i - 2) & digit) !== 0;
}

/** Reads up to `most` groups of digits parted by single separators into `scan.groups`; returns how many. */
function readGroups(scan: Scan, i: number, firstEnd: number, most: number): number {
  const { length, end, separator } = scan.groups;
  let count = 0;
  let from = i;
  let j = firstEnd;
  for (;;) {
    length[count] = j - from;
    end[count] = j;
    const c = codeAt(scan.text, j);
    separator[count] = c;
    count += 1;
    if (count === most || !isSeparator(c)) return count;
    from = j + 1;
    j = skipWhile(scan.text, from, digit, from + 20);
    if (j === from) return count;
  }
}

function isCard(scan: Scan, start: number, prefixEnd: number, end: number, length: number): boolean {
  return (
    isIssued(numberAt(scan, start, prefixEnd), length) && isWhole(scan, end) && passesLuhn(scan, start, end)
  );
}

/** The end of a card whose groups are 4-4-4-4, 4-4-4-4-3, 4-6-5 or 4-6-4 with one separator, or 0. */
function groupedCardEnd(scan: Scan, start: number, count: number): number {
  const { length, end, separator } = scan.groups;
  const [l0 = 0, l1 = 0, l2 = 0, l3 = 0, l4 = 0] = length;
  const [e0 = 0, , e2 = 0, e3 = 0, e4 = 0] = end;
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = separator;
  if (l0 !== 4 || count < 3 || s0 !== s1 || (s0 !== blankCode && s0 !== hyphen)) return 0;
  if (l1 === 6) return (l2 === 4 || l2 === 5) && isCard(scan, start, e0, e2, 10 + l2) ? e2 : 0;
  if (count < 4 || l1 !== 4 || l2 !== 4 || l3 !== 4 || s1 !== s2) return 0;
  if (count > 4 && l4 === 3 && s2 === s3 && isCard(scan, start, e0, e4, 19)) return e4;
  return isCard(scan, start, e0, e3, 16) ? e3 : 0;
}

/** Area, group and serial that were never issued: 000, 666, 9xx, 00, 0000. */
function isIssuedSsn(area: number, group: number, serial: number): boolean {
  return area !== 0 && area !== 666 && area < 900 && group !== 0 && serial !== 0;
}

function ssnEnd(scan: Scan, start: number, count: number): number {
  const isNamed = start - scan.ssnWord <= wordReach;
  const { length, end, separator } = scan.groups;
  const [l0 = 0, l1 = 0, l2 = 0] = length;
  const [e0 = 0, e1 = 0, e2 = 0] = end;
  if (l0 === 9 && isNamed && isWhole(scan, e0)) {
    const area = numberAt(scan, start, start + 3);
    return isIssuedSsn(area, numberAt(scan, start + 3, start + 5), numberAt(scan, start + 5, e0)) ? e0 : 0;
  }
  if (count < 3 || l0 !== 3 || l1 !== 2 || l2 !== 4 || separator[0] !== separator[1] || !isWhole(scan, e2))
    return 0;
  if (separator[0] !== hyphen && !isNamed) return 0;
  const isIssuedNumber = isIssuedSsn(
    numberAt(scan, start, e0),
    numberAt(scan, e0 + 1, e1),
    numberAt(scan, e1 + 1, e2),
  );
  return isIssuedNumber ? e2 : 0;
}

/** A phone of the North American plan: 415-555-2671, 1.415.555.2671; with blanks only beside a phone word. */
function nanpEnd(scan: Scan, start: number, count: number, isNamed: boolean): number {
  const { length, end, separator } = scan.groups;
  const first = length[0] === 1 && codeAt(scan.text, start) === 49 ? 1 : 0;
  if (count < first + 3) return 0;
  const area = first === 0 ? start : (end[0] ?? 0) + 1;
  const isShaped = length[first] === 3 && length[first + 1] === 3 && length[first + 2] === 4;
  const exchange = (end[first] ?? 0) + 1;
  const last = end[first + 2] ?? 0;
  if (!isShaped || !isWhole(scan, last)) return 0;
  if (codeAt(scan.text, area) < 50 || codeAt(scan.text, exchange) < 50) return 0;
  const s0 = separator[first];
  const s1 = separator[first + 1];
  if (s0 === slash || s1 === slash) return 0;
  return s1 === blankCode && !isNamed ? 0 : last;
}

/** Beside a phone word: 7 to 15 digits in any grouping. */
function namedPhoneEnd(scan: Scan, count: number): number {
  let digits = 0;
  let last = 0;
  for (let k = 0; k < count; k += 1) {
    digits += scan.groups.length[k] ?? 0;
    if (digits > 15) break;
    if (digits >= 7) last = scan.groups.end[k] ?? 0;
  }
  return last !== 0 && isWhole(scan, last) ? last : 0;
}

/** `Chrome/120.0.0.0`, `v1.2.3.4` and `version 1.2.3.4` name a version. */
function isVersion(scan: Scan, start: number): boolean {
  let j = start - 1;
  const before = codeAt(scan.text, j) | 32;
  if (before === 118) return true;
  if (before === slash) {
    const wordEnd = j;
    j -= 1;
    while (j > wordEnd - 33 && (flagsAt(scan.text, j) & alnum) !== 0) j -= 1;
    const c = codeAt(scan.text, j);
    return wordEnd - j > 1 && c !== slash && c !== dot && c !== hyphen;
  }
  const word = 'version';
  for (let k = 0; k < 3 && (codeAt(scan.text, j) | 32) !== 110; k += 1) j -= 1;
  for (let k = 0; k < word.length; k += 1) {
    if ((codeAt(scan.text, j - k) | 32) !== word.charCodeAt(word.length - 1 - k)) return false;
  }
  return true;
}

/** An IPv4 address in dotted decimals; not loopback, not 0/8, not masks: these name nobody's machine. */
function ipV4End(scan: Scan, start: number, count: number): number {
  if (count < 4) return 0;
  let from = start;
  for (let k = 0; k < 4; k += 1) {
    const to = scan.groups.end[k] ?? 0;
    if (k < 3 && scan.groups.separator[k] !== dot) return 0;
    if (to - from > 3 || numberAt(scan, from, to) > 255) return 0;
    if (to - from > 1 && scan.text[from] === 48) return 0;
    from = to + 1;
  }
  const end = from - 1;
  const net = numberAt(scan, start, scan.groups.end[0] ?? 0);
  if (net === 0 || net === 127 || net === 255 || !isWhole(scan, end) || isVersion(scan, start)) return 0;
  return end;
}

/** What the number of one group at [i, end) may be, or 0. */
function readPlain(scan: Scan, i: number, end: number, isNamed: boolean): number {
  const length = end - i;
  if (length >= 13 && length <= 19 && isCard(scan, i, i + 4, end, length))
    return report(scan, 'payment_card', i, end);
  if (length === 8 && isNearBirthWord(scan, i) && isWhole(scan, end) && isCompactDate(scan, i)) {
    return seeDate(scan, i, end);
  }
  if (isNamed && length >= 7 && length <= 15 && isWhole(scan, end)) return report(scan, 'phone', i, end);
  return 0;
}

/** The `T` between date and time (ISO 8601). */
function isTimeMark(scan: Scan, i: number): boolean {
  return codeAt(scan.text, i) === 84 && (flagsAt(scan.text, i + 1) & digit) !== 0;
}

/** What the groups of digits that begin at `i` may be; 0 if nothing. */
function readShapes(scan: Scan, i: number, count: number, isNamed: boolean): number {
  const { end, separator } = scan.groups;
  if (separator[0] === dot) {
    const ip = ipV4End(scan, i, count);
    if (ip !== 0) return report(scan, 'ip_address', i, ip);
  }
  const third = end[2] ?? 0;
  if (count >= 3 && isDate(scan, i) && (isWhole(scan, third) || isTimeMark(scan, third)))
    return seeDate(scan, i, third);
  const ssn = ssnEnd(scan, i, count);
  if (ssn !== 0) return report(scan, 'us_ssn', i, ssn);
  const card = groupedCardEnd(scan, i, count);
  if (card !== 0) return report(scan, 'payment_card', i, card);
  const phone = nanpEnd(scan, i, count, isNamed) || (isNamed ? namedPhoneEnd(scan, count) : 0);
  return phone === 0 ? 0 : report(scan, 'phone', i, phone);
}

/** A cheap look before groups are read: no shape without a named word begins as this number does. */
function mayGroup(scan: Scan, i: number, end: number, c: number): boolean {
  const { text } = scan;
  const length = end - i;
  if (length === 4) {
    const isCardLike = codeAt(text, end + 5) === c || codeAt(text, end + 7) === c;
    return c === blankCode ? isCardLike : true;
  }
  if (length > 4) return false;
  if (c !== blankCode) return true;
  const second = codeAt(text, end + 4);
  if (length === 3) return second === hyphen || second === dot;
  return length === 1 && text[i] === 49 && (second === hyphen || second === dot);
}

/** The number that begins at `i`; its digits are the head of a run. Returns where to go on, at least their end. */
export function readNumber(scan: Scan, i: number): number {
  const { text } = scan;
  const end = skipWhile(text, i, digit, text.length);
  const length = end - i;
  const c = codeAt(text, end);
  if ((flagsOf(c) & letter) !== 0 || length > 19 || isContinued(scan, i))
    return skipWhile(text, end, alnum, text.length);
  const isNamed = i - scan.phoneWord <= wordReach;
  if (length >= 7 && length !== 9) return readPlain(scan, i, end, isNamed) || end;
  const isNamedSsn = i - scan.ssnWord <= wordReach;
  if (!isSeparator(c)) {
    if (length === 9 && isNamedSsn && readShapes(scan, i, readGroups(scan, i, end, 1), isNamed) !== 0)
      return end;
    return length >= 7 ? readPlain(scan, i, end, isNamed) || end : end;
  }
  if (!isNamed && !isNamedSsn && !mayGroup(scan, i, end, c)) return end;
  return readShapes(scan, i, readGroups(scan, i, end, isNamed ? 6 : 5), isNamed) || end;
}

/** An international number, its `+` at `i` (ITU-T E.164): 8 to 15 digits, 9 when nothing parts them. */
export function readPlus(scan: Scan, i: number): number {
  const { text } = scan;
  const first = codeAt(text, i + 1);
  if (first < 49 || first > 57 || (flagsAt(text, i - 1) & alnum) !== 0) return i + 1;
  const most = first === 49 || first === 55 ? 11 : 15;
  let digits = 0;
  let groups = 1;
  let last = i;
  let wasMark = false;
  for (let j = i + 1; j < i + 32 && digits < most; j += 1) {
    const c = codeAt(text, j);
    if ((flagsOf(c) & digit) !== 0) {
      if (wasMark) groups += 1;
      digits += 1;
      last = j;
      wasMark = false;
    } else if (isSeparator(c) || c === 40 || c === 41) {
      if (wasMark && c !== 40 && codeAt(text, j - 1) !== 41) break;
      wasMark = true;
    } else break;
  }
  const isLong = groups > 1 ? digits >= 8 : digits >= 9;
  if (!isLong || digits < groups * 2 - 1 || !isWhole(scan, last + 1)) return i + 1;
  return report(scan, 'phone', i, last + 1) || i + 1;
}

/** `(415) 555-2671`, its bracket at `i`; other plans' `(030) 1234567` only beside a phone word. */
export function readBracket(scan: Scan, i: number): number {
  const { text } = scan;
  const close = skipWhile(text, i + 1, digit, i + 7);
  const length = close - i - 1;
  if (length < 2 || length > 5 || codeAt(text, close) !== 41) return i + 1;
  const from = skipWhile(text, close + 1, blank, close + 2);
  const firstEnd = skipWhile(text, from, digit, from + 20);
  if (firstEnd === from) return i + 1;
  const count = readGroups(scan, from, firstEnd, 3);
  const [l0 = 0, l1 = 0] = scan.groups.length;
  const last = scan.groups.end[1] ?? 0;
  const isNanp = length === 3 && codeAt(text, i + 1) >= 50 && codeAt(text, from) >= 50;
  if (isNanp && count >= 2 && l0 === 3 && l1 === 4 && isWhole(scan, last)) {
    return report(scan, 'phone', i, last) || i + 1;
  }
  if (i - scan.phoneWord > wordReach) return i + 1;
  const end = scan.groups.end[count - 1] ?? 0;
  const digits = scan.groups.length.slice(0, count).reduce((sum, n) => sum + n, length);
  return digits >= 7 && digits <= 15 && isWhole(scan, end) ? report(scan, 'phone', i, end) || i + 1 : i + 1;
}
