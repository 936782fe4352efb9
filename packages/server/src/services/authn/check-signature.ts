// Owns the check of one signature by one key, in the form that its algorithm prescribes.

import { constants, verify } from 'node:crypto';
import type { SigningAlgorithm } from '@countersign/core/tokens/jwt-shape';
import type { VerificationKey } from './verification-key.ts';

const digests: Readonly<Record<SigningAlgorithm, string | null>> = {
  RS256: 'sha256',
  RS384: 'sha384',
  RS512: 'sha512',
  PS256: 'sha256',
  PS384: 'sha384',
  PS512: 'sha512',
  ES256: 'sha256',
  ES384: 'sha384',
  EdDSA: null,
};

/**
 * True if `signature` is the key's over the ASCII text `signingInput` (RFC 7515 section 5.2). INVARIANT: the
 * key must be for this algorithm; what a token calls itself cannot turn a key to another use.
 */
export function checkSignature(
  { key, algorithms }: VerificationKey,
  alg: SigningAlgorithm,
  signingInput: string,
  signature: Uint8Array,
): boolean {
  if (!algorithms.has(alg)) return false;
  const data = Buffer.from(signingInput, 'latin1');
  switch (alg) {
    case 'PS256':
    case 'PS384':
    case 'PS512': {
      const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
      return verify(digests[alg], data, { key, padding, saltLength }, signature);
    }
    case 'ES256':
    case 'ES384':
      return verify(digests[alg], data, { key, dsaEncoding: 'ieee-p1363' }, signature);
    default:
      return verify(digests[alg], data, key, signature);
  }
}
