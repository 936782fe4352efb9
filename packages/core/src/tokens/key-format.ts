// Owns the text of a virtual key: `csk_<key id>_<secret>_<checksum>`, so that a mistyped or foreign one is refused early.

import { isId, type KeyId } from '../ids.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 32 bytes in base62: 256 random bits in 43 characters. */
const secretLength = 43;
const checksumLength = 6;
const form = /^csk_([0-9a-hjkmnp-tv-z]{26})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})$/;

function base62(bytes: Uint8Array, length: number): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  let text = '';
  for (let i = 0; i < length; i += 1) {
    text = alphabet.charAt(Number(value % 62n)) + text;
    value /= 62n;
  }
  return text;
}

/** CRC-32 (ISO 3309) of the ASCII text. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i += 1) {
    crc ^= text.charCodeAt(i) & 0xff;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function checksum(text: string): string {
  const crc = crc32(text);
  return base62(Uint8Array.of(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255), checksumLength);
}

/** The text of a new key from its id and 32 random bytes. Throws a RangeError for fewer. */
export function formatKey(id: KeyId, random: Uint8Array): string {
  if (random.length !== 32) throw new RangeError('a key has 32 random bytes');
  const body = `csk_${id.slice('key_'.length)}_${base62(random, secretLength)}`;
  return `${body}_${checksum(body)}`;
}

/** The id that a key's text names, or undefined when the text is no key. Says nothing of whether the key is good. */
export function parseKey(text: string): KeyId | undefined {
  const match = form.exec(text);
  const id = `key_${match?.[1] ?? ''}`;
  return match !== null && isId('key', id) ? id : undefined;
}

/** True when the checksum fits: told apart from `parseKey` so that the hot path need not compute it. */
export function hasGoodChecksum(text: string): boolean {
  return checksum(text.slice(0, -checksumLength - 1)) === text.slice(-checksumLength);
}
