// Owns e-mail addresses, passwords in URLs and IPv6 addresses.

import {
  alnum,
  blank,
  codeAt,
  digit,
  flagsAt,
  flagsOf,
  hex,
  letter,
  localMark,
  skipWhile,
} from './characters.ts';
import { report, type Scan } from './scan.ts';

const at = 64;
const colon = 58;
const dot = 46;
const hyphen = 45;
const slash = 47;
const backslash = 92;

/** Latin letters beyond ASCII, which addresses may hold (RFC 6531). */
function isLatin(c: number): boolean {
  return c >= 0xc0 && c <= 0x24f && c !== 0xd7 && c !== 0xf7;
}

function isEscapeLetter(c: number): boolean {
  return c === 110 || c === 114 || c === 116;
}

/** Where the local part before the `@` at `i` begins; `i` if there is none. RFC 5321 allows 64 octets. */
function localStart(scan: Scan, i: number): number {
  const floor = Math.max(scan.lastEnd, i - 64);
  let j = i;
  while (j > floor) {
    const c = scan.text[j - 1] ?? 0;
    if ((flagsOf(c) & (alnum | localMark)) === 0 && !isLatin(c)) break;
    j -= 1;
  }
  // A JSON string inside the text: the letter of an escape such as \n is not part of the name.
  if (j < i && isEscapeLetter(codeAt(scan.text, j)) && codeAt(scan.text, j - 1) === backslash) j += 1;
  while (j < i && (flagsAt(scan.text, j) & alnum) === 0 && !isLatin(scan.text[j] ?? 0)) j += 1;
  return j;
}

/** The end of the host name that begins at `i`, or 0: two labels or more, the last one of letters. */
function hostEnd(scan: Scan, i: number): number {
  const { text } = scan;
  const limit = Math.min(text.length, i + 253);
  let end = 0;
  let labels = 0;
  let numeric = 0;
  let j = i;
  while (j < limit) {
    const from = j;
    let letters = 0;
    let others = 0;
    for (; j < limit; j += 1) {
      const c = text[j] ?? 0;
      const f = flagsOf(c);
      if ((f & letter) !== 0 || isLatin(c)) letters += 1;
      else if ((f & digit) !== 0 || c === hyphen) others += 1;
      else break;
    }
    if (j === from || j - from > 63) break;
    labels += 1;
    if (letters === 0 && labels <= 2) numeric += 1;
    const isPunycode = j - from > 4 && codeAt(text, from) === 120 && codeAt(text, from + 2) === hyphen;
    if (labels > 1 && (isPunycode || (others === 0 && letters >= 2))) end = j;
    if (codeAt(text, j) !== dot) break;
    j += 1;
  }
  // `left-pad@1.0.0-rc.beta` names a version, not a host.
  return numeric === 2 ? 0 : end;
}

/** An e-mail address around the `@` at `i`: returns its end, or `i + 1`. */
export function readEmail(scan: Scan, i: number): number {
  const start = localStart(scan, i);
  if (start === i || codeAt(scan.text, i - 1) === dot) return i + 1;
  const end = hostEnd(scan, i + 1);
  if (end === 0) return i + 1;
  // `git@github.com:owner/repository` is a remote of git.
  const isGit = i - start === 3 && codeAt(scan.text, start) === 103 && codeAt(scan.text, i - 1) === 116;
  if (isGit && codeAt(scan.text, end) === colon) return end;
  return report(scan, 'email', start, end) || i + 1;
}

const placeholders: ReadonlySet<string> = new Set([
  'password',
  'passwd',
  'pass',
  'pwd',
  'secret',
  'xxx',
  'xxxx',
]);
const placeholderStarts: ReadonlySet<number> = new Set([...'$<{%*['].map((c) => c.charCodeAt(0)));

function isPlaceholder(scan: Scan, start: number, end: number): boolean {
  if (placeholderStarts.has(codeAt(scan.text, start))) return true;
  if (end - start > 8) return false;
  let word = '';
  for (let i = start; i < end; i += 1) word += String.fromCharCode(scan.text[i] ?? 0);
  return placeholders.has(word.toLowerCase());
}

/** True for what ends the authority of a URL (RFC 3986 section 3.2), or a word in prose. */
function endsAuthority(c: number): boolean {
  return (
    c <= 32 || c === slash || c === 63 || c === 35 || c === 34 || c === 60 || c === 62 || c === backslash
  );
}

/** A password in `scheme://user:password@host`; `i` is the `:` of the scheme. Returns its end or `i + 1`. */
function readUrlPassword(scan: Scan, i: number): number {
  const { text } = scan;
  const limit = Math.min(text.length, i + 256);
  let separator = 0;
  for (let j = i + 3; j < limit; j += 1) {
    const c = text[j] ?? 0;
    if (endsAuthority(c)) return i + 1;
    if (c === colon && separator === 0) separator = j;
    if (c !== at) continue;
    if (separator === 0) return i + 1;
    if (separator + 1 === j || isPlaceholder(scan, separator + 1, j)) return j + 1;
    return report(scan, 'url_password', separator + 1, j) || j + 1;
  }
  return i + 1;
}

type V6 = { readonly end: number; readonly groups: number; readonly gap: boolean; readonly longest: number };

function readHexGroups(scan: Scan, start: number): V6 {
  const { text } = scan;
  let groups = 0;
  let gap = false;
  let longest = 0;
  let j = start;
  while (groups <= 8) {
    const from = j;
    j = skipWhile(text, j, hex, j + 5);
    if (j - from > 4) return { end: j, groups: 99, gap, longest };
    if (j > from) {
      groups += 1;
      longest = Math.max(longest, j - from);
    }
    if (codeAt(text, j) !== colon) break;
    if (codeAt(text, j + 1) === colon) {
      if (gap) return { end: j, groups: 99, gap, longest };
      gap = true;
      j += 2;
      if ((flagsAt(text, j) & hex) === 0) break;
    } else if ((flagsAt(text, j + 1) & hex) !== 0) j += 1;
    else break;
  }
  return { end: j, groups, gap, longest };
}

function hasDigit(scan: Scan, start: number, end: number): boolean {
  for (let j = start; j < end; j += 1) if ((flagsAt(scan.text, j) & digit) !== 0) return true;
  return false;
}

/**
 * An IPv6 address whose first `:` is at `i` (RFC 4291 section 2.2); `runStart`..`runEnd` is the last run of
 * letters and digits. Not addresses: clock times, `a::b` of programming languages, MAC addresses, fingerprints.
 */
function readIpV6(scan: Scan, i: number, runStart: number, runEnd: number): number {
  const { text } = scan;
  const isAttached = runEnd === i && i - runStart <= 4;
  if (runEnd === i && (!isAttached || skipWhile(text, runStart, hex, i) !== i)) return i + 1;
  const start = isAttached ? runStart : i;
  const before = codeAt(text, start - 1);
  if (before === colon || before === dot || (flagsOf(before) & alnum) !== 0) return i + 1;
  const v6 = readHexGroups(scan, start);
  const after = codeAt(text, v6.end);
  if ((flagsOf(after) & alnum) !== 0 || v6.groups > 8) return i + 1;
  if (after === colon && (flagsAt(text, v6.end + 1) & (hex | blank)) === hex) return i + 1;
  const hasLongStart = isAttached && i - start === 4;
  const isShort = v6.gap && v6.groups < 8 && (v6.groups >= 3 || (hasLongStart && v6.groups === 2));
  const isFull = !v6.gap && v6.groups === 8;
  if (!(isShort || isFull) || v6.longest < 3 || !hasDigit(scan, start, v6.end)) return i + 1;
  return report(scan, 'ip_address', start, v6.end) || i + 1;
}

/** What a `:` at `i` may belong to: a URL with a password, or an IPv6 address. Returns where to go on. */
export function readColon(scan: Scan, i: number, runStart: number, runEnd: number): number {
  const next = codeAt(scan.text, i + 1);
  if (next === slash)
    return codeAt(scan.text, i + 2) === slash && runEnd === i ? readUrlPassword(scan, i) : i + 1;
  if (next !== colon && (runEnd !== i || (flagsOf(next) & hex) === 0)) return i + 1;
  return readIpV6(scan, i, runStart, runEnd);
}
