// Owns what tests of tokens stand on: an identity provider of their own, with a real server, keys and signatures.

import {
  constants,
  createHmac,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';
import type { TokenIssuer } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { makeId, type OrgId } from '@countersign/core/ids';
import type { SigningAlgorithm } from '@countersign/core/tokens/jwt-shape';
import { createEgress } from '../../platform/egress/egress.ts';
import type { FetchDocument } from './key-document.ts';
import { createKeySets, type KeySetDeps } from './key-sets.ts';
import { createTokenVerifier, type TrustedIssuer } from './verify-jwt.ts';

/** A pair of keys with the JWK that its issuer publishes. */
export type SampleKey = {
  readonly alg: SigningAlgorithm;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JsonWebKey & { readonly kid?: string };
};

function pair(alg: SigningAlgorithm, bits: number): { publicKey: KeyObject; privateKey: KeyObject } {
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (alg === 'ES384') return generateKeyPairSync('ec', { namedCurve: 'P-384' });
  return generateKeyPairSync('rsa', { modulusLength: bits });
}

/** A new key. Without a `kid` it is published without one. */
export function makeKey(alg: SigningAlgorithm, kid?: string, bits = 2048): SampleKey {
  const { publicKey, privateKey } = pair(alg, bits);
  const named = kid === undefined ? {} : { kid };
  return {
    alg,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), ...named, alg, use: 'sig' },
  };
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(key: SampleKey, input: string): Buffer {
  const data = Buffer.from(input);
  const digest = `sha${key.alg.slice(2)}`;
  if (key.alg === 'EdDSA') return sign(null, data, key.privateKey);
  if (key.alg.startsWith('ES')) return sign(digest, data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  if (key.alg.startsWith('RS')) return sign(digest, data, key.privateKey);
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
  return sign(digest, data, { key: key.privateKey, padding, saltLength });
}

type Json = { readonly [name: string]: unknown };

/** A compact token. `header` replaces the usual one's members; `undefined` leaves one out. */
export function makeToken(key: SampleKey, claims: Json, header: Json = {}): string {
  const input = `${base64url({ alg: key.alg, kid: key.jwk.kid, typ: 'JWT', ...header })}.${base64url(claims)}`;
  return `${input}.${signed(key, input).toString('base64url')}`;
}

/** A token whose "signature" is an HMAC under a public key's PEM text: the confusion of RS256 with HS256. */
export function makeConfusedToken(key: SampleKey, claims: Json, alg = 'HS256'): string {
  const input = `${base64url({ alg, kid: key.jwk.kid, typ: 'JWT' })}.${base64url(claims)}`;
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
}

/** A token that says `alg: none`, with or without a signature of the issuer's own key. */
export function makeUnsignedToken(claims: Json, signature = ''): string {
  return `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url(claims)}.${signature}`;
}

/** The process's one dialer, which may reach this machine. */
export const fetchSample: FetchDocument = createEgress({ allow: ['127.0.0.1'] }).fetchDocument;

/** An identity provider on loopback that publishes discovery and `keys`, counts, and can be down. */
export async function openSampleIssuer(context: TestContext, first: readonly SampleKey[]) {
  const state = {
    keys: first.map(({ jwk }): unknown => jwk),
    namedIssuer: '',
    isDown: false,
    keyFetches: 0,
    discoveries: 0,
  };
  let base = '';
  const server = createServer((request, response) => {
    if (state.isDown) return response.writeHead(503).end();
    const isKeys = request.url === '/keys';
    if (isKeys) state.keyFetches += 1;
    else state.discoveries += 1;
    const document = isKeys
      ? { keys: state.keys }
      : { issuer: state.namedIssuer || base, jwks_uri: `${base}/keys` };
    return response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new AppError('internal', 'no port');
  base = `http://127.0.0.1:${address.port}`;
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { state, url: base };
}

const bytes = (): Uint8Array => new Uint8Array(randomBytes(10));

export const sampleNow = Date.UTC(2026, 10, 22, 12);
export const sampleSeconds = sampleNow / 1000;

export const makeOrgId = (): OrgId => makeId('org', sampleNow, bytes());

/** An issuer as an organization trusts it. */
export function trustIssuer(orgId: OrgId, url: string, changes: Partial<TokenIssuer> = {}): TrustedIssuer {
  const issuer: TokenIssuer = {
    id: makeId('tokenIssuer', sampleNow, bytes()),
    name: 'corp',
    issuer: url,
    audience: `urn:countersign:${orgId}`,
    keys: { kind: 'discovery' },
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    claims: { subject: 'sub', email: 'email', name: 'name', roles: 'roles', teams: 'teams' },
    requiredClaims: {},
    roleMap: {},
    teamMap: {},
    justInTime: true,
    workspaceId: makeId('workspace', sampleNow, bytes()),
    maxTokenAgeSeconds: 86_400,
    status: 'active',
    ...changes,
  };
  return { orgId, issuer };
}

/** Claims that every check passes, for this issuer. */
export function goodClaims({ issuer }: TrustedIssuer, changes: Json = {}): Json {
  return {
    iss: issuer.issuer,
    aud: issuer.audience,
    sub: 'alice',
    iat: sampleSeconds,
    exp: sampleSeconds + 3_600,
    ...changes,
  };
}

/** A verifier over issuers held in a list that tests change, on clocks that tests move. */
export function openSampleVerifier(
  trusted: TrustedIssuer[],
  options: Partial<KeySetDeps> & { readonly maxCached?: number } = {},
) {
  const clock = { nowMs: sampleNow };
  const failures: unknown[] = [];
  const keySets = createKeySets({
    fetchDocument: fetchSample,
    clock: () => clock.nowMs,
    onFailure: (error) => failures.push(error),
    ...options,
  });
  const verifier = createTokenVerifier({
    issuers: async (iss, audiences) =>
      trusted.filter(({ issuer }) => issuer.issuer === iss && audiences.includes(issuer.audience)),
    currentIssuer: (orgId, id) => trusted.find((one) => one.orgId === orgId && one.issuer.id === id)?.issuer,
    keySets,
    now: () => clock.nowMs,
    ...(options.maxCached === undefined ? {} : { maxCached: options.maxCached }),
  });
  /** `ok`, or the reason of the refusal. */
  const outcome = async (text: string): Promise<string> => {
    const result = await verifier.verify(text);
    return result.ok ? 'ok' : result.reason;
  };
  return { clock, failures, keySets, verifier, outcome };
}
