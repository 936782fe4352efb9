// Owns which characters make a name of a header, which a value, and which a length (RFC 9110 sections 5.5 and 5.6.2).

const notInToken = 0;
const inToken = 1;
const upperCase = 2;

function tokenTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
    table[character.charCodeAt(0)] = inToken;
  }
  for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') table[character.charCodeAt(0)] = upperCase;
  return table;
}

const tokens = tokenTable();

/** True for what a token is made of. */
export function isTokenCode(code: number): boolean {
  return (tokens[code] ?? notInToken) !== notInToken;
}

/** True for A to Z. */
export function isUpperCode(code: number): boolean {
  return tokens[code] === upperCase;
}

/** True for a token: one character or more. */
export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (!isTokenCode(text.charCodeAt(at))) return false;
  return text !== '';
}

/** True for tab, space, visible ASCII and obs-text: all that a value may hold, and neither CR, LF nor NUL. */
export function isTextCode(code: number): boolean {
  return code >= 0x20 ? code !== 0x7f && code <= 0xff : code === 0x09;
}

/** True for a value that is one line. */
export function isText(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (!isTextCode(text.charCodeAt(at))) return false;
  return true;
}

/** True for what may stand around a value. */
export function isBlank(code: number | undefined): boolean {
  return code === 0x20 || code === 0x09;
}

/** Digits of a length that a number holds exactly. */
const maxDigits = 15;

/** A number of 1 to 15 plain digits; -1 for anything else. */
export function readDigits(text: string, from: number, to: number): number {
  let number = 0;
  if (to <= from || to - from > maxDigits) return -1;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
