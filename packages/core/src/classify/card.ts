// Owns the shape of payment card numbers: issuers' prefixes and the check digit.

import type { Scan } from './scan.ts';

/** The issuers' first digits (ISO/IEC 7812) with the lengths that they issue. */
export function isIssued(prefix: number, length: number): boolean {
  const two = Math.floor(prefix / 100);
  if (two >= 40 && two <= 49) return length === 13 || length === 16 || length === 19;
  if (two >= 51 && two <= 55) return length === 16;
  if (prefix >= 2221 && prefix <= 2720) return length === 16;
  if (two === 34 || two === 37) return length === 15;
  if (two === 30 || two === 36 || two === 38 || two === 39) return length === 14 || length === 16;
  if (prefix >= 3528 && prefix <= 3589) return length >= 16;
  if (two === 50 || (two >= 56 && two <= 69)) return length >= 13;
  return false;
}

/** Luhn's check (ISO/IEC 7812-1 annex B) over the digits in [start, end), separators skipped. */
export function passesLuhn(scan: Scan, start: number, end: number): boolean {
  let sum = 0;
  let isSecond = false;
  for (let i = end - 1; i >= start; i -= 1) {
    const value = (scan.text[i] ?? 0) - 48;
    if (value < 0) continue;
    const doubled = isSecond ? value * 2 : value;
    sum += doubled > 9 ? doubled - 9 : doubled;
    isSecond = !isSecond;
  }
  return sum % 10 === 0;
}
