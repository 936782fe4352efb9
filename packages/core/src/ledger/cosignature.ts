// Owns witnesses' cosignatures (C2SP tlog-cosignature, Ed25519): what is signed, their payload, their check.

import { type Note, type NoteSignature, signaturesBy, signatureTypes, type VerifierKey } from './note.ts';
import type { SignEd25519, Utf8, Verifying } from './primitives.ts';

export type Cosignature = {
  readonly witness: string;
  /** Seconds since 1970-01-01 UTC: when the witness had seen no larger tree of this log. */
  readonly time: number;
};

/** The message that a witness signs over a checkpoint's text. */
export function cosignatureMessage(time: number, checkpointText: string): string {
  return `cosignature/v1\ntime ${time}\n${checkpointText}`;
}

/** Cosigns a checkpoint's text at a time in seconds. The key must be of type 4. */
export function cosign(
  utf8: Utf8,
  key: VerifierKey,
  time: number,
  checkpointText: string,
  sign: SignEd25519,
): NoteSignature {
  if (key.type !== signatureTypes.cosignature) throw new RangeError('a witness signs with a key of type 4');
  if (!Number.isSafeInteger(time) || time < 0) throw new RangeError('a cosignature needs a time in seconds');
  const payload = new Uint8Array(72);
  let rest = time;
  for (let i = 7; i >= 0; i -= 1) {
    payload[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  payload.set(sign(utf8(cosignatureMessage(time, checkpointText))), 8);
  return { name: key.name, id: key.id, payload };
}

export type CosignatureCheck =
  | { readonly state: 'valid'; readonly cosignature: Cosignature }
  | { readonly state: 'absent' }
  | { readonly state: 'invalid' };

/** Whether this witness has cosigned the note; of several valid cosignatures the latest is told. */
export function checkCosignature(deps: Verifying, note: Note, key: VerifierKey): CosignatureCheck {
  if (key.type !== signatureTypes.cosignature) return { state: 'absent' };
  let latest: number | undefined;
  for (const { payload } of signaturesBy(note, key)) {
    const time = readTime(payload);
    if (time === undefined) return { state: 'invalid' };
    const message = deps.utf8(cosignatureMessage(time, note.text));
    if (!deps.verifyEd25519(key.publicKey, message, payload.subarray(8))) return { state: 'invalid' };
    latest = Math.max(latest ?? 0, time);
  }
  if (latest === undefined) return { state: 'absent' };
  return { state: 'valid', cosignature: { witness: key.name, time: latest } };
}

function readTime(payload: Uint8Array): number | undefined {
  if (payload.length !== 72) return undefined;
  let time = 0;
  for (const byte of payload.subarray(0, 8)) time = time * 256 + byte;
  return Number.isSafeInteger(time) ? time : undefined;
}
