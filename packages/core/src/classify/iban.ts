// Owns international bank account numbers (ISO 13616): length by country and the check of ISO 7064 mod 97-10.

import { alnum, codeAt, digit, flagsOf, lower, upper } from './characters.ts';
import { report, type Scan } from './scan.ts';

const lengthList =
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 ' +
  'EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 ' +
  'JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 ' +
  'NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 ' +
  'TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30';

function slotOf(c0: number, c1: number): number {
  return (c0 - 65) * 26 + c1 - 65;
}

function makeLengths(): Uint8Array {
  const lengths = new Uint8Array(26 * 26);
  for (const entry of lengthList.split(' ')) {
    lengths[slotOf(entry.charCodeAt(0), entry.charCodeAt(1))] = Number(entry.slice(2));
  }
  return lengths;
}

/** Length of an IBAN by country, 0 where there is none. */
const lengths = makeLengths();

/** The remainder after one more character: digits stand for themselves, letters for 10 to 35. */
function step(remainder: number, c: number): number {
  return c <= 57 ? (remainder * 10 + c - 48) % 97 : (remainder * 100 + c - 55) % 97;
}

/**
 * An IBAN that begins at `i` with two upper-case letters and two digits; blanks or hyphens may part its
 * groups. Returns its end, or 0. Looks at most 34 characters and 11 separators ahead.
 */
export function readIban(scan: Scan, i: number): number {
  const { text } = scan;
  const length = lengths[slotOf(text[i] ?? 0, text[i + 1] ?? 0)] ?? 0;
  if (length === 0) return 0;
  let remainder = 0;
  let seen = 4;
  let j = i + 4;
  for (; seen < length; j += 1) {
    const c = codeAt(text, j);
    if ((flagsOf(c) & (digit | upper)) !== 0) {
      remainder = step(remainder, c);
      seen += 1;
    } else if ((c === 32 || c === 45 || c === 160) && (flagsOf(codeAt(text, j - 1)) & alnum) !== 0) continue;
    else return 0;
  }
  if ((flagsOf(codeAt(text, j)) & (digit | upper | lower)) !== 0) return 0;
  for (let k = i; k < i + 4; k += 1) remainder = step(remainder, text[k] ?? 0);
  return remainder === 1 ? report(scan, 'iban', i, j) : 0;
}
