// Owns the ledger's hash and signature functions as Node gives them.

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type { Sha256, SignEd25519, Utf8, VerifyEd25519 } from '@countersign/core/ledger/primitives';

/** SHA-256 by the one-shot function. Measured: text that is unpacked costs a third of a buffer made by Node. */
export const sha256: Sha256 = (data) => Buffer.from(hash('sha256', data, 'binary'), 'latin1');

export const utf8: Utf8 = (text) => Buffer.from(text, 'utf8');

/** RFC 8410: an Ed25519 SubjectPublicKeyInfo is this prefix and the 32 bytes. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
  return verify(null, message, key, signature);
};

/** A signer over one private key. Signing goes through this function alone, so that a KMS can stand behind it. */
export function signerOf(privateKey: KeyObject): SignEd25519 {
  return (message) => sign(null, message, privateKey);
}

/** A new Ed25519 pair: the PKCS#8 bytes to seal, and the 32 public bytes. */
export function generateLogKey(): { readonly pkcs8: Uint8Array; readonly publicKey: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: spki.subarray(spki.length - 32),
  };
}

/** The private key from its PKCS#8 bytes. */
export function loadLogKey(pkcs8: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
}

/** The 32 public bytes of a private key. */
export function publicKeyOf(privateKey: KeyObject): Uint8Array {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return spki.subarray(spki.length - 32);
}
