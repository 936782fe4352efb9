// Owns signed notes (C2SP signed-note): their text form, verifier keys, key ids, and which signatures count.

import { fromBase64, fromHex, toBase64, toHex } from './encoding.ts';
import { type Sha256, type SignEd25519, sameBytes, type Utf8, type Verifying } from './primitives.ts';

/** The signature types that we read: a log's Ed25519 and a witness's timestamped Ed25519. */
export const signatureTypes = { ed25519: 1, cosignature: 4 } as const;

/** A public key with its name, as `vkey` text carries it. */
export type VerifierKey = {
  readonly name: string;
  /** 4 bytes; tells keys of one name apart, proves nothing. */
  readonly id: Uint8Array;
  readonly type: number;
  /** 32 bytes for both types that we read. */
  readonly publicKey: Uint8Array;
};

export type NoteSignature = {
  readonly name: string;
  readonly id: Uint8Array;
  /** What follows the key id: 64 bytes for Ed25519, 72 for a cosignature. */
  readonly payload: Uint8Array;
};

export type Note = {
  /** What is signed: ends in a line feed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};

/** Above this many UTF-16 units or signatures a note is refused unread. */
export const maxNoteLength = 65_536;
export const maxNoteSignatures = 64;

const spaceOrPlus = /[\s\u0085+]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the format forbids control characters but the line feed
const controlCharacter = /[\u0000-\u0009\u000b-\u001f\u007f]/;

/** True when the text may name a key: not empty, no space of any kind, no `+`. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !spaceOrPlus.test(name) && !controlCharacter.test(name);
}

/** SHA-256(name ‖ 0x0A ‖ type ‖ public key), its first 4 bytes. */
export function keyId(
  deps: { readonly sha256: Sha256; readonly utf8: Utf8 },
  name: string,
  type: number,
  publicKey: Uint8Array,
): Uint8Array {
  const nameBytes = deps.utf8(name);
  const data = new Uint8Array(nameBytes.length + 2 + publicKey.length);
  data.set(nameBytes);
  data.set([0x0a, type], nameBytes.length);
  data.set(publicKey, nameBytes.length + 2);
  return deps.sha256(data).slice(0, 4);
}

/** Makes the verifier key of a name and a 32-byte Ed25519 public key. A RangeError if either cannot be one. */
export function makeVerifierKey(
  deps: { readonly sha256: Sha256; readonly utf8: Utf8 },
  name: string,
  type: keyof typeof signatureTypes,
  publicKey: Uint8Array,
): VerifierKey {
  if (!isKeyName(name)) throw new RangeError(`\`${name}\` cannot name a key: use no space and no plus sign`);
  if (publicKey.length !== 32) throw new RangeError('an Ed25519 public key has 32 bytes');
  const code = signatureTypes[type];
  return { name, type: code, publicKey, id: keyId(deps, name, code, publicKey) };
}

/** `name+hex(id)+base64(type ‖ public key)`, without a line end. */
export function formatVerifierKey(key: VerifierKey): string {
  return `${key.name}+${toHex(key.id)}+${toBase64(Uint8Array.of(key.type, ...key.publicKey))}`;
}

/** Reads one line of vkey text; undefined if it is malformed, of an unknown type, or its id does not fit. */
export function parseVerifierKey(
  deps: { readonly sha256: Sha256; readonly utf8: Utf8 },
  text: string,
): VerifierKey | undefined {
  const [name, idText, ...rest] = text.split('+');
  // Base64 may itself contain `+`, so only the first two separate.
  const key = fromBase64(rest.join('+'));
  const id = fromHex(idText ?? '');
  if (name === undefined || !isKeyName(name) || key === undefined || id === undefined) return undefined;
  const type = key[0];
  if (type !== signatureTypes.ed25519 && type !== signatureTypes.cosignature) return undefined;
  if (key.length !== 33) return undefined;
  const publicKey = key.slice(1);
  return sameBytes(id, keyId(deps, name, type, publicKey)) ? { name, id, type, publicKey } : undefined;
}

/** The note's text form. The text must end in a line feed. */
export function formatNote(note: Note): string {
  return `${note.text}\n${note.signatures.map(formatSignature).join('')}`;
}

/** One signature line with its line feed. */
export function formatSignature(signature: NoteSignature): string {
  return `\u2014 ${signature.name} ${toBase64(Uint8Array.of(...signature.id, ...signature.payload))}\n`;
}

/** Reads one signature line without its line feed. */
export function parseSignature(line: string): NoteSignature | undefined {
  const [dash, name, base64, ...rest] = line.split(' ');
  const bytes = fromBase64(base64 ?? '');
  if (dash !== '\u2014' || rest.length > 0 || name === undefined || !isKeyName(name)) return undefined;
  if (bytes === undefined || bytes.length < 5) return undefined;
  return { name, id: bytes.slice(0, 4), payload: bytes.slice(4) };
}

/** Reads a note; undefined if it is malformed in any way. Verifies nothing. */
export function parseNote(source: string): Note | undefined {
  if (source.length > maxNoteLength || !source.isWellFormed() || controlCharacter.test(source))
    return undefined;
  const split = source.lastIndexOf('\n\n');
  if (split < 0 || !source.endsWith('\n')) return undefined;
  const lines = source.slice(split + 2, -1).split('\n');
  if (lines.length > maxNoteSignatures) return undefined;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === undefined) return undefined;
    signatures.push(signature);
  }
  return { text: source.slice(0, split + 1), signatures };
}

/** Signs a note's text with a log's key. */
export function signNote(utf8: Utf8, key: VerifierKey, text: string, sign: SignEd25519): NoteSignature {
  if (!text.endsWith('\n') || controlCharacter.test(text)) {
    throw new RangeError('the text of a note ends in a line feed and has no other control character');
  }
  return { name: key.name, id: key.id, payload: sign(utf8(text)) };
}

/** The signatures of a note that carry this key's name and id. */
export function signaturesBy(note: Note, key: VerifierKey): readonly NoteSignature[] {
  return note.signatures.filter(({ name, id }) => name === key.name && sameBytes(id, key.id));
}

export type SignatureState = 'valid' | 'absent' | 'invalid';

/**
 * Whether a log's key (type 1) has signed the note. Signatures of other keys are passed over; one of this key
 * that does not verify makes the note `invalid`, whatever the others say.
 */
export function checkNote(deps: Verifying, note: Note, key: VerifierKey): SignatureState {
  if (key.type !== signatureTypes.ed25519) return 'absent';
  const own = signaturesBy(note, key);
  if (own.length === 0) return 'absent';
  const message = deps.utf8(note.text);
  const good = own.every(
    ({ payload }) => payload.length === 64 && deps.verifyEd25519(key.publicKey, message, payload),
  );
  return good ? 'valid' : 'invalid';
}
