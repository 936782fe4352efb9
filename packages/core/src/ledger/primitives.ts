// Owns the types of the functions that the ledger is handed: hashing, UTF-8 and signatures arrive from the shell.

/** SHA-256 of the bytes: 32 bytes. Must not keep `data`, which is overwritten after the call. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

/** The text's UTF-8 bytes. */
export type Utf8 = (text: string) => Uint8Array;

/** True when the 64-byte Ed25519 signature over the message is by the 32-byte public key (RFC 8032). */
export type VerifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** The 64-byte Ed25519 signature over the message by the log's own key. */
export type SignEd25519 = (message: Uint8Array) => Uint8Array;

/** All that is needed to check a ledger's notes. */
export type Verifying = {
  readonly sha256: Sha256;
  readonly utf8: Utf8;
  readonly verifyEd25519: VerifyEd25519;
};

/** True when both hold the same bytes. For public values only: it is not constant in time. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
