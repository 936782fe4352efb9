// Owns strict base64url: one text for each byte string, so that a token has no second spelling.

import { toBase64 } from '../ledger/encoding.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The six bits of each ASCII code, 255 for codes outside the alphabet. */
const sextets = Uint8Array.from({ length: 128 }, (_, code) => {
  const at = alphabet.indexOf(String.fromCharCode(code));
  return at < 0 ? 255 : at;
});

/** Unpadded base64url (RFC 4648 section 5, RFC 7515 section 2). */
export function toBase64url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * The bytes of unpadded base64url; undefined unless the text is exactly what `toBase64url` would write: no
 * padding, no other alphabet, no bits left over (RFC 4648 section 3.5).
 */
export function fromBase64url(text: string): Uint8Array | undefined {
  const rest = text.length % 4;
  if (rest === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < text.length; i += 1) {
    const sextet = sextets[text.charCodeAt(i)] ?? 255;
    if (sextet === 255) return undefined;
    held = ((held << 6) | sextet) & 0xfff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = held >> bits;
      at += 1;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}
