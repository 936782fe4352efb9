// Owns the import of public keys: what a JWK must be before it may prove anything, and which algorithms it has.

import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '@countersign/core/tokens/jwt-shape';
import { z } from 'zod';

/** A key that may verify. Kept as long as its issuer publishes it unchanged, so that it can be compared by identity. */
export type VerificationKey = {
  readonly kid: string | undefined;
  /** What the key itself is for: never taken from a token. */
  readonly algorithms: ReadonlySet<SigningAlgorithm>;
  readonly key: KeyObject;
  /** Equal for equal JWKs. */
  readonly fingerprint: string;
};

const leastRsaBits = 2048;
/** Above this a verification takes so long that a flood of forged tokens would be an attack. */
const mostRsaBits = 8192;
const mostRsaExponent = 2n ** 32n;

/** Members that only a private or a symmetric key has (RFC 7518 section 6). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

const text = z.string().min(1).max(4096);
const jwkSchema = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP']),
  kid: z.string().min(1).max(512).optional(),
  alg: text.optional(),
  use: text.optional(),
  key_ops: z.array(z.string()).optional(),
  crv: text.optional(),
  n: text.optional(),
  e: text.optional(),
  x: text.optional(),
  y: text.optional(),
});
type Jwk = z.infer<typeof jwkSchema>;

const rsaAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const;

function ofType({ kty, crv }: Jwk): readonly SigningAlgorithm[] {
  if (kty === 'RSA') return rsaAlgorithms;
  if (kty === 'EC') return crv === 'P-256' ? ['ES256'] : crv === 'P-384' ? ['ES384'] : [];
  return crv === 'Ed25519' ? ['EdDSA'] : [];
}

/** RFC 7517 section 4.4, and RFC 9864, which calls EdDSA over this curve `Ed25519`. */
function algorithmsOf(jwk: Jwk): readonly SigningAlgorithm[] {
  const named = jwk.alg === 'Ed25519' ? 'EdDSA' : jwk.alg;
  return ofType(jwk).filter((algorithm) => named === undefined || named === algorithm);
}

function isForVerifying({ use, key_ops: operations }: Jwk): boolean {
  return (use === undefined || use === 'sig') && (operations === undefined || operations.includes('verify'));
}

function publicPart(jwk: Jwk): JsonWebKey {
  const { kty, crv, n, e, x, y } = jwk;
  return {
    kty,
    ...(crv === undefined ? {} : { crv }),
    ...(n === undefined ? {} : { n }),
    ...(e === undefined ? {} : { e }),
    ...(x === undefined ? {} : { x }),
    ...(y === undefined ? {} : { y }),
  };
}

function isStrong(key: KeyObject): boolean {
  if (key.asymmetricKeyType !== 'rsa') return true;
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (modulusLength === undefined || publicExponent === undefined) return false;
  if (modulusLength < leastRsaBits || modulusLength > mostRsaBits) return false;
  // With the exponent 1 a signature is its own message: anybody could write it.
  return publicExponent >= 3n && publicExponent % 2n === 1n && publicExponent < mostRsaExponent;
}

function keyObject(jwk: Jwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: publicPart(jwk), format: 'jwk' });
  } catch {
    return undefined;
  }
}

/**
 * A key from a JWK (RFC 7517); undefined for what may not verify here: symmetric or private keys, other curves,
 * RSA below 2048 bits, a `use` or `key_ops` for something else, an `alg` that does not fit. Where it equals a
 * key of `known`, that very object is given.
 */
export function importKey(
  value: unknown,
  known?: ReadonlyMap<string, VerificationKey>,
): VerificationKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (secretMembers.some((member) => Object.hasOwn(value, member))) return undefined;
  const parsed = jwkSchema.safeParse(value);
  if (!parsed.success || !isForVerifying(parsed.data)) return undefined;
  const jwk = parsed.data;
  const algorithms = algorithmsOf(jwk);
  if (algorithms.length === 0) return undefined;
  const fingerprint = JSON.stringify([jwk.kid ?? null, algorithms, publicPart(jwk)]);
  const same = known?.get(fingerprint);
  if (same !== undefined) return same;
  const key = keyObject(jwk);
  if (key === undefined || !isStrong(key)) return undefined;
  return { kid: jwk.kid, algorithms: new Set(algorithms), key, fingerprint };
}

export type KeyRefusal =
  /** No key of the issuer has this `kid`, or none fits a token without one. */
  | 'unknown_key'
  /** Several keys would fit: none is tried. */
  | 'ambiguous_key'
  /** The key exists and is for another algorithm. */
  | 'key_algorithm'
  /** The issuer's keys could not be fetched, or are too old to be believed. */
  | 'keys_unavailable';

export type FoundKey =
  | { readonly ok: true; readonly key: VerificationKey }
  | { readonly ok: false; readonly reason: KeyRefusal };

/** What a token asks for. */
export type WantedKey = { readonly alg: SigningAlgorithm; readonly kid?: string };

/** The one key for a token. Without a `kid` only where exactly one fits: keys are never tried in turn. */
export function pickKey(keys: readonly VerificationKey[], wanted: WantedKey): FoundKey {
  const { alg, kid } = wanted;
  const named = kid === undefined ? keys : keys.filter((key) => key.kid === kid);
  const [key, ...others] = named.filter(({ algorithms }) => algorithms.has(alg));
  if (others.length > 0) return { ok: false, reason: 'ambiguous_key' };
  if (key !== undefined) return { ok: true, key };
  return { ok: false, reason: named.length > 0 && kid !== undefined ? 'key_algorithm' : 'unknown_key' };
}
