// Owns what a verified token's claims must say before its issuer is believed, and what they then tell us.

import type { Role } from '../access/permissions.ts';
import type { TokenIssuer } from '../directory/objects.ts';
import type { TeamId } from '../ids.ts';
import { type Claims, claimAt, instantOf, namesIn, scalarsOf, textOf } from './read-claim.ts';

/** Seconds by which clocks may differ. */
export const clockToleranceSeconds = 60;

const maxSubject = 255;
const maxEmail = 320;
const maxText = 255;

export type ClaimRefusal =
  | 'issuer_not_active'
  | 'issuer'
  | 'audience'
  | 'expiry_missing'
  | 'expired'
  | 'not_yet_valid'
  | 'issued_at_missing'
  | 'issued_in_future'
  | 'too_old'
  | 'malformed_time'
  | 'required_claim'
  | 'subject'
  | 'authorized_party';

/** What a token says of its bearer, once its signature and `checkClaims` have passed. */
export type VerifiedClaims = {
  /** Unique inside the issuer only. */
  readonly subject: string;
  /** Never identity: people are found by issuer and subject. */
  readonly email?: string;
  /** True only where the address is the claim `email` and the issuer says in `email_verified` that it checked it. */
  readonly emailVerified: boolean;
  readonly name?: string;
  /** Mapped by the issuer's `roleMap`; what it does not map is gone. Sorted, unique. */
  readonly roles: readonly Role[];
  readonly teams: readonly TeamId[];
  readonly customer?: string;
  /** The application to which the token was issued: `azp` or `client_id`. */
  readonly authorizedParty?: string;
  /** How the person signed in (RFC 8176), as the issuer tells it. */
  readonly amr: readonly string[];
  /** Seconds since 1970, when the person last signed in. */
  readonly authTime?: number;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /**
   * Seconds since 1970: the earlier of `exp` and the greatest age that the issuer's tokens may reach, without
   * tolerance. A cache may keep the result no longer than this.
   */
  readonly expiresAt: number;
};

export type RefusedClaims = { readonly ok: false; readonly reason: ClaimRefusal; readonly message: string };
export type CheckedClaims = { readonly ok: true; readonly token: VerifiedClaims } | RefusedClaims;

type Times = Pick<VerifiedClaims, 'issuedAt' | 'expiresAt' | 'authTime'>;

function refuse(reason: ClaimRefusal, message: string): RefusedClaims {
  return { ok: false, reason, message };
}

/** A time claim: undefined when absent, NaN when it is no instant. */
function timeAt(claims: Claims, name: string): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  return instantOf(claims[name]) ?? Number.NaN;
}

function checkTimes(issuer: TokenIssuer, claims: Claims, now: number): Times | RefusedClaims {
  const exp = timeAt(claims, 'exp');
  const nbf = timeAt(claims, 'nbf');
  const iat = timeAt(claims, 'iat');
  if (exp === undefined) return refuse('expiry_missing', 'the token has no `exp`; issue one that expires');
  if (Number.isNaN(exp) || Number.isNaN(nbf) || Number.isNaN(iat)) {
    return refuse('malformed_time', '`exp`, `nbf` and `iat` must be numbers of seconds since 1970');
  }
  // INVARIANT: a token without `iat` could not be told from one that a watermark has revoked.
  if (iat === undefined) {
    return refuse('issued_at_missing', 'the token has no `iat`; have the issuer say when it was issued');
  }
  if (now >= exp + clockToleranceSeconds) return refuse('expired', 'the token has expired; get a new one');
  if (nbf !== undefined && nbf > now + clockToleranceSeconds) {
    return refuse('not_yet_valid', 'the token is not valid yet; compare the clocks');
  }
  if (iat > now + clockToleranceSeconds) {
    return refuse('issued_in_future', 'the token was issued in the future; compare the clocks');
  }
  if (now - iat > issuer.maxTokenAgeSeconds + clockToleranceSeconds) {
    return refuse('too_old', `the token is older than ${issuer.maxTokenAgeSeconds} seconds; get a new one`);
  }
  const authTime = instantOf(own(claims, 'auth_time'));
  const expiresAt = Math.min(exp, iat + issuer.maxTokenAgeSeconds);
  return { issuedAt: iat, expiresAt, ...(authTime === undefined ? {} : { authTime }) };
}

function own(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** RFC 7519 section 4.1.3: one text, or an array of nothing but texts. */
function isForAudience(value: unknown, audience: string): boolean {
  if (typeof value === 'string') return value === audience;
  return Array.isArray(value) && value.every((item) => typeof item === 'string') && value.includes(audience);
}

/** The first required claim that the token does not meet. */
function unmetClaim(issuer: TokenIssuer, claims: Claims): string | undefined {
  return Object.keys(issuer.requiredClaims).find((path) => {
    const wanted = issuer.requiredClaims[path] ?? [];
    return !scalarsOf(path, claimAt(claims, path)).some((value) => wanted.includes(value));
  });
}

/** The targets of those names that the map knows, each once, sorted. */
function mapped<T extends string>(map: Readonly<Record<string, T>>, names: readonly string[]): readonly T[] {
  const targets = new Set<T>();
  for (const name of names) {
    const target = Object.hasOwn(map, name) ? map[name] : undefined;
    if (target !== undefined) targets.add(target);
  }
  return [...targets].sort();
}

/** Optional facts at configured paths: an absent path, or a value of another shape, gives nothing. */
function optionalText(claims: Claims, path: string | undefined, most: number): string | undefined {
  return path === undefined ? undefined : textOf(claimAt(claims, path), most);
}

function namesAt(claims: Claims, path: string | undefined): readonly string[] {
  return path === undefined ? [] : namesIn(claimAt(claims, path));
}

/** The application's id; `conflict` when the two claims that name it disagree. */
function authorizedParty(claims: Claims): { readonly id?: string } | 'conflict' {
  const azp = textOf(own(claims, 'azp'), maxText);
  const clientId = textOf(own(claims, 'client_id'), maxText);
  if (azp !== undefined && clientId !== undefined && azp !== clientId) return 'conflict';
  const id = azp ?? clientId;
  return id === undefined ? {} : { id };
}

/** OpenID Connect Core section 5.1: `email_verified` speaks of `email`, not of any other claim with an address. */
function isVerified(issuer: TokenIssuer, claims: Claims, email: string | undefined): boolean {
  return email !== undefined && issuer.claims.email === 'email' && own(claims, 'email_verified') === true;
}

/**
 * Checks the claims of a token whose signature has been verified with a key of `issuer`, at `nowSeconds` since
 * 1970, and maps them. `iss` must equal the issuer, `aud` contain its audience, `exp` and `iat` be present;
 * times are given 60 s. `iat` is required because revocation and the greatest age rest on it. Never throws,
 * whatever the claims hold. Messages name claims and settings, never values of the token.
 */
export function checkClaims(issuer: TokenIssuer, claims: Claims, nowSeconds: number): CheckedClaims {
  if (issuer.status !== 'active') return refuse('issuer_not_active', 'the token issuer is suspended');
  if (own(claims, 'iss') !== issuer.issuer) {
    return refuse('issuer', `the token's \`iss\` is not \`${issuer.issuer}\``);
  }
  if (!isForAudience(own(claims, 'aud'), issuer.audience)) {
    return refuse('audience', `the token's \`aud\` does not contain \`${issuer.audience}\``);
  }
  const times = checkTimes(issuer, claims, nowSeconds);
  if ('ok' in times) return times;
  const unmet = unmetClaim(issuer, claims);
  if (unmet !== undefined) {
    return refuse('required_claim', `the token's claim \`${unmet}\` is missing or has another value`);
  }
  const { claims: paths } = issuer;
  const subject = textOf(claimAt(claims, paths.subject), maxSubject);
  if (subject === undefined) {
    return refuse(
      'subject',
      `the token's claim \`${paths.subject}\` is not a text of 1 to ${maxSubject} characters`,
    );
  }
  const party = authorizedParty(claims);
  if (party === 'conflict') {
    return refuse('authorized_party', "the token's `azp` and `client_id` name different applications");
  }
  const email = optionalText(claims, paths.email, maxEmail);
  const name = optionalText(claims, paths.name, maxText);
  const customer = optionalText(claims, paths.customer, maxText);
  const token: VerifiedClaims = {
    subject,
    ...(email === undefined ? {} : { email }),
    emailVerified: isVerified(issuer, claims, email),
    ...(name === undefined ? {} : { name }),
    roles: mapped(issuer.roleMap, namesAt(claims, paths.roles)),
    teams: mapped(issuer.teamMap, namesAt(claims, paths.teams)),
    ...(customer === undefined ? {} : { customer }),
    ...(party.id === undefined ? {} : { authorizedParty: party.id }),
    amr: Array.isArray(own(claims, 'amr')) ? namesIn(own(claims, 'amr')) : [],
    ...times,
  };
  return { ok: true, token };
}
