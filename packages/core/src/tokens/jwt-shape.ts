// Owns reading a compact signed token's shape: what must hold before any key is looked up.

import type { JsonBody } from '../dialects/json-body.ts';
import { readJsonBody } from '../dialects/json-body.ts';
import type { ParseDeps } from '../dialects/request-types.ts';
import type { TokenIssuer } from '../directory/objects.ts';
import { fromBase64url } from './base64url.ts';

/** A token longer than this is refused unread. */
export const maxTokenLength = 16 * 1024;
const maxKeyIdLength = 512;

export type SigningAlgorithm = TokenIssuer['algorithms'][number];

const algorithms: Readonly<Record<SigningAlgorithm, true>> = {
  RS256: true,
  RS384: true,
  RS512: true,
  PS256: true,
  PS384: true,
  PS512: true,
  ES256: true,
  ES384: true,
  EdDSA: true,
};

/** Header parameters that bring a key or a rule along with the token (RFC 7515 section 4.1, RFC 7797). */
const refusedParameters = ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c'] as const;

export type JwtType = 'jwt' | 'at+jwt';

export type JwtHeader = {
  /** What the token says of itself. INVARIANT: a key is used only with its own algorithm, never with this one. */
  readonly alg: SigningAlgorithm;
  readonly kid?: string;
  readonly typ?: JwtType;
};

export type JwtRefusal =
  | 'too_long'
  | 'not_three_parts'
  | 'bad_base64url'
  | 'bad_header'
  | 'bad_claims'
  | 'unsigned'
  | 'algorithm'
  | 'header_parameter'
  | 'type';

export type Jwt = {
  readonly ok: true;
  readonly header: JwtHeader;
  readonly claims: { readonly [name: string]: unknown };
  /** The ASCII text that the signature covers: header and claims as they came, with their dot. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
};

/** `reason` is for switches and counters, `message` for people; neither holds any of the token's text. */
export type RefusedJwt = { readonly ok: false; readonly reason: JwtRefusal; readonly message: string };

function refuse(reason: JwtRefusal, message: string): RefusedJwt {
  return { ok: false, reason, message };
}

function isAlgorithm(value: unknown): value is SigningAlgorithm {
  return typeof value === 'string' && Object.hasOwn(algorithms, value);
}

/** RFC 7515 section 4.1.9: case does not count, and a type without a slash stands for `application/` and it. */
function readType(value: unknown): JwtType | undefined {
  const name = typeof value === 'string' ? value.toLowerCase().replace(/^application\//, '') : '';
  return name === 'jwt' || name === 'at+jwt' ? name : undefined;
}

function readHeader(root: JsonBody['root']): JwtHeader | RefusedJwt {
  for (const parameter of refusedParameters) {
    if (Object.hasOwn(root, parameter)) {
      return refuse('header_parameter', `the token's header has \`${parameter}\`; issue it without`);
    }
  }
  const { alg, kid, typ } = root;
  if (!isAlgorithm(alg)) {
    return refuse('algorithm', 'the token is not signed with an asymmetric algorithm that is known here');
  }
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > maxKeyIdLength)) {
    return refuse('bad_header', "the token's `kid` is not a short text");
  }
  const type = readType(typ);
  if (typ !== undefined && type === undefined) {
    return refuse('type', "the token's `typ` is neither `JWT` nor `at+jwt`; send an access token");
  }
  return {
    alg,
    ...(kid === undefined ? {} : { kid }),
    ...(type === undefined ? {} : { typ: type }),
  };
}

/**
 * Splits and parses a compact JWS (RFC 7515 section 3.1) that carries claims (RFC 7519). Proves nothing: the
 * caller verifies `signature` over `signingInput`, then checks the claims. Refused are more than 16 KiB, other
 * than three parts, base64url in any but its canonical spelling, header or claims that are not JSON objects
 * or repeat a key at any depth, `crit`, `b64` and every parameter that brings a key, algorithms outside the
 * closed list (so `none` and all HMACs), an empty signature, a `typ` that is no access token's.
 * `decodeUtf8` must throw on invalid UTF-8 and keep a byte order mark. Never throws otherwise.
 */
export function readJwt(text: string, decodeUtf8: (bytes: Uint8Array) => string): Jwt | RefusedJwt {
  if (text.length > maxTokenLength) return refuse('too_long', 'the token is longer than 16 KiB');
  const firstDot = text.indexOf('.');
  const secondDot = text.indexOf('.', firstDot + 1);
  if (firstDot < 0 || secondDot < 0 || text.includes('.', secondDot + 1)) {
    return refuse('not_three_parts', 'the token does not have three parts; send a signed JWT');
  }
  const headerBytes = fromBase64url(text.slice(0, firstDot));
  const claimsBytes = fromBase64url(text.slice(firstDot + 1, secondDot));
  const signature = fromBase64url(text.slice(secondDot + 1));
  if (headerBytes === undefined || claimsBytes === undefined || signature === undefined) {
    return refuse('bad_base64url', 'a part of the token is not canonical base64url');
  }
  const deps: ParseDeps = { decodeUtf8, limits: { maxBytes: maxTokenLength, maxDepth: 16, maxNodes: 8192 } };
  const headerBody = readJsonBody(headerBytes, deps);
  if (headerBody.kind === 'refusal') {
    return refuse('bad_header', "the token's header is not a JSON object with distinct keys");
  }
  const header = readHeader(headerBody.root);
  if ('ok' in header) return header;
  if (signature.length === 0) return refuse('unsigned', 'the token has no signature');
  const claimsBody = readJsonBody(claimsBytes, deps);
  if (claimsBody.kind === 'refusal') {
    return refuse('bad_claims', "the token's claims are not a JSON object with distinct keys");
  }
  return { ok: true, header, claims: claimsBody.root, signingInput: text.slice(0, secondDot), signature };
}
