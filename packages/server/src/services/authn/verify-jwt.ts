// Owns the verification of a token: form, one trusted issuer, its key, the signature, the claims, and what is kept.

import { hash } from 'node:crypto';
import type { TokenIssuer } from '@countersign/core/directory/objects';
import type { OrgId, TokenIssuerId } from '@countersign/core/ids';
import {
  type ClaimRefusal,
  checkClaims,
  clockToleranceSeconds,
  type VerifiedClaims,
} from '@countersign/core/tokens/claims';
import { type Jwt, type JwtRefusal, maxTokenLength, readJwt } from '@countersign/core/tokens/jwt-shape';
import { checkSignature } from './check-signature.ts';
import type { KeySets } from './key-sets.ts';
import type { KeyRefusal, VerificationKey } from './verification-key.ts';

/** An issuer as one organization trusts it. */
export type TrustedIssuer = { readonly orgId: OrgId; readonly issuer: TokenIssuer };

/** A token that proved itself. The same object for the same token as long as it is kept. */
export type VerifiedToken = TrustedIssuer & { readonly ok: true; readonly claims: VerifiedClaims };

export type TokenRefusal =
  | JwtRefusal
  | ClaimRefusal
  | KeyRefusal
  | 'issuer_claim'
  | 'audience_claim'
  | 'unknown_issuer'
  /** Two organizations, or two issuers, would believe it: none does. */
  | 'ambiguous_issuer'
  | 'algorithm_not_allowed'
  | 'bad_signature';

export type RefusedToken = { readonly ok: false; readonly reason: TokenRefusal };

export type TokenVerifierDeps = {
  /** Issuers whose URL is exactly `iss` and whose audience is exactly one of `audiences`. */
  readonly issuers: (iss: string, audiences: readonly string[]) => Promise<readonly TrustedIssuer[]>;
  /** The issuer's present state if its organization is in memory; the very object while it is unchanged. */
  readonly currentIssuer: (orgId: OrgId, id: TokenIssuerId) => TokenIssuer | undefined;
  readonly keySets: KeySets;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Tokens kept. Default: 20,000. */
  readonly maxCached?: number;
};

export type TokenVerifier = {
  readonly verify: (text: string) => Promise<VerifiedToken | RefusedToken>;
  /** How many verified tokens are kept. */
  readonly cached: () => number;
};

type Kept = { readonly token: VerifiedToken; readonly key: VerificationKey };

const maxAudiences = 32;
const refuse = (reason: TokenRefusal): RefusedToken => ({ ok: false, reason });

/** RFC 7519 section 4.1.3: one text or several. Undefined for anything else, and for more than anybody needs. */
function audiencesOf(claims: Jwt['claims']): readonly string[] | undefined {
  const { aud } = claims;
  if (typeof aud === 'string') return [aud];
  if (!Array.isArray(aud) || aud.length > maxAudiences) return undefined;
  const items: readonly unknown[] = aud;
  return items.every((item) => typeof item === 'string') ? [...new Set(items)] : undefined;
}

/** INVARIANT: `iss` and `aud` are not yet proved here and serve as the name under which to look, nothing else. */
async function trustedIssuer(
  deps: Pick<TokenVerifierDeps, 'issuers'>,
  jwt: Jwt,
): Promise<TrustedIssuer | RefusedToken> {
  const { iss } = jwt.claims;
  if (typeof iss !== 'string' || iss === '') return refuse('issuer_claim');
  const audiences = audiencesOf(jwt.claims);
  if (audiences === undefined) return refuse('audience_claim');
  const [found, ...others] = await deps.issuers(iss, audiences);
  if (found === undefined) return refuse('unknown_issuer');
  return others.length > 0 ? refuse('ambiguous_issuer') : found;
}

/** The values put last, `most` at the most: `take` removes, so that what is put back is the newest again. */
function createRecent<T>(most: number) {
  const values = new Map<string, T>();
  return {
    take(key: string): T | undefined {
      const value = values.get(key);
      if (value !== undefined) values.delete(key);
      return value;
    },
    put(key: string, value: T): void {
      values.set(key, value);
      for (const oldest of values.keys()) {
        if (values.size <= most) break;
        values.delete(oldest);
      }
    },
    size: () => values.size,
  };
}

/**
 * A verifier with its own bounded memory. What is kept belongs to the token alone: nothing of a request is in
 * it. It is found by SHA-256 of the whole token and used only while the issuer's state is the very one that
 * verified it, the issuer still publishes the key, and the claims are in time.
 */
export function createTokenVerifier(deps: TokenVerifierDeps): TokenVerifier {
  const { keySets } = deps;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decodeUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);
  const kept = createRecent<Kept>(deps.maxCached ?? 20_000);
  const nowSeconds = (): number => Math.floor(deps.now() / 1000);

  function isGood({ token, key }: Kept): boolean {
    const now = nowSeconds();
    const { orgId, issuer, claims } = token;
    return (
      now < claims.expiresAt &&
      claims.issuedAt <= now + clockToleranceSeconds &&
      deps.currentIssuer(orgId, issuer.id) === issuer &&
      keySets.holds(issuer, key)
    );
  }

  async function verifyAnew(text: string, digest: string): Promise<VerifiedToken | RefusedToken> {
    const jwt = readJwt(text, decodeUtf8);
    if (!jwt.ok) return refuse(jwt.reason);
    const trusted = await trustedIssuer(deps, jwt);
    if ('ok' in trusted) return trusted;
    const { orgId, issuer } = trusted;
    const { alg, kid } = jwt.header;
    if (!issuer.algorithms.includes(alg)) return refuse('algorithm_not_allowed');
    const found = await keySets.find(issuer, kid === undefined ? { alg } : { alg, kid });
    if (!found.ok) return refuse(found.reason);
    const { key } = found;
    if (!checkSignature(key, alg, jwt.signingInput, jwt.signature)) return refuse('bad_signature');
    const checked = checkClaims(issuer, jwt.claims, nowSeconds());
    if (!checked.ok) return refuse(checked.reason);
    const token: VerifiedToken = { ok: true, orgId, issuer, claims: checked.token };
    if (nowSeconds() < checked.token.expiresAt) kept.put(digest, { token, key });
    return token;
  }

  return {
    async verify(text) {
      if (text.length > maxTokenLength) return refuse('too_long');
      const digest = hash('sha256', text, 'base64');
      const known = kept.take(digest);
      if (known === undefined || !isGood(known)) return verifyAnew(text, digest);
      kept.put(digest, known);
      return known.token;
    },
    cached: kept.size,
  };
}
