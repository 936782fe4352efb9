// Owns the step from what a request presents to a credential and its organization. Nobody is anonymous.

import { AppError } from '@countersign/core/errors';
import type { Credential, TokenProof } from '@countersign/core/identity/actor';
import type { KeyId, OrgId } from '@countersign/core/ids';
import { hasGoodChecksum, parseKey } from '@countersign/core/tokens/key-format';
import { readCredentials } from '../../platform/http/credentials.ts';

/** A token that verified: whose organization, and what it proves. */
export type VerifiedCaller = {
  readonly isRefused: false;
  readonly orgId: OrgId;
  readonly token: TokenProof;
};

/** A token that did not, and why: a code that tells an administrator, and never the caller. */
export type RefusedToken = { readonly isRefused: true; readonly reason: string };

/** What finding a caller needs; `S` is an organization in memory. */
export type CallerDeps<S> = {
  readonly snapshots: {
    readonly peek: (orgId: OrgId) => S | undefined;
    readonly get: (orgId: OrgId) => Promise<S>;
  };
  /** The organization of a key id, if there is one. The store is asked only for what `isWorthAsking`. */
  readonly organizationOfKey: (
    keyId: string,
    isWorthAsking: () => boolean,
  ) => OrgId | undefined | Promise<OrgId | undefined>;
  /** SHA-256 of a credential's text in lower-case hex. */
  readonly hashCredential: (text: string) => string;
  /** Verifies a token of a trusted issuer and brings its person into the directory; or says why it is refused. */
  readonly verifyToken: (text: string) => Promise<VerifiedCaller | RefusedToken>;
  /** Counts a refused credential; recorded as an aggregate once a second. `detail` is for the log of the process. */
  readonly noteRefused: (call: Refused, reason: string, detail?: string) => void;
};

/** Which request was refused, and from where it came. */
export type Refused = { readonly requestId: string; readonly address: string };

/** The part of a request that says who calls. */
export type Presented = Refused & { readonly rawHeaders: readonly string[] };

export type Authenticated<S> = { readonly snapshot: S; readonly credential: Credential };

const advice =
  'send a Countersign key as `Authorization: Bearer` or `x-api-key`, or a token of a trusted issuer';

/** Counts the refusal and makes the error: the caller learns nothing of which part was wrong. */
export function refuseCredential(
  deps: { readonly noteRefused: CallerDeps<unknown>['noteRefused'] },
  call: Refused,
  reason: string,
  detail?: string,
): AppError {
  deps.noteRefused(call, reason, detail);
  return new AppError(
    'authentication_failed',
    `the credential is missing, unknown, expired or revoked: ${advice}`,
  );
}

function fromKey<S>(
  deps: CallerDeps<S>,
  call: Presented,
  text: string,
  keyId: KeyId,
  userToken: string | undefined,
): Authenticated<S> | Promise<Authenticated<S>> {
  // A key that is in memory is held to its hash, which covers the checksum; others to the checksum first.
  const orgId = deps.organizationOfKey(keyId, () => hasGoodChecksum(text));
  const snapshot = typeof orgId === 'string' ? deps.snapshots.peek(orgId) : undefined;
  if (snapshot === undefined || userToken !== undefined)
    return fromStoredKey(deps, call, text, keyId, userToken);
  return { snapshot, credential: { kind: 'key', keyId, presentedHash: deps.hashCredential(text) } };
}

/** The same where something has to be waited for. */
async function fromStoredKey<S>(
  deps: CallerDeps<S>,
  call: Presented,
  text: string,
  keyId: KeyId,
  userToken: string | undefined,
): Promise<Authenticated<S>> {
  const orgId = await deps.organizationOfKey(keyId, () => hasGoodChecksum(text));
  if (orgId === undefined) throw refuseCredential(deps, call, 'unknown_key');
  const snapshot = deps.snapshots.peek(orgId) ?? (await deps.snapshots.get(orgId));
  const presentedHash = deps.hashCredential(text);
  if (userToken === undefined) return { snapshot, credential: { kind: 'key', keyId, presentedHash } };
  const token = await verified(deps, call, userToken, orgId);
  return { snapshot, credential: { kind: 'key_with_token', keyId, presentedHash, token } };
}

async function verified(
  deps: CallerDeps<unknown>,
  call: Presented,
  text: string,
  orgId: OrgId | undefined,
): Promise<TokenProof> {
  const caller = await deps.verifyToken(text);
  if (caller.isRefused) throw refuseCredential(deps, call, 'token_refused', caller.reason);
  // INVARIANT: exactly one organization follows from each credential; two that disagree are refused.
  if (orgId !== undefined && caller.orgId !== orgId)
    throw refuseCredential(deps, call, 'token_refused', 'other_organization');
  return caller.token;
}

async function fromToken<S>(deps: CallerDeps<S>, call: Presented, text: string): Promise<Authenticated<S>> {
  const caller = await deps.verifyToken(text);
  if (caller.isRefused) throw refuseCredential(deps, call, 'token_refused', caller.reason);
  const snapshot = await deps.snapshots.get(caller.orgId);
  return { snapshot, credential: { kind: 'token', token: caller.token } };
}

/**
 * The credential of a request, checked for form and signature; whether it lives is decided against the
 * directory at each decision. At once for a key that is in memory. Throws `authentication_failed` or
 * `credential_conflict`.
 */
export function authenticate<S>(
  deps: CallerDeps<S>,
  call: Presented,
): Authenticated<S> | Promise<Authenticated<S>> {
  const presented = readCredentials(call.rawHeaders);
  if (presented.kind === 'conflict') {
    deps.noteRefused(call, presented.kind);
    throw new AppError('credential_conflict', presented.message);
  }
  if (presented.kind !== 'credential') throw refuseCredential(deps, call, presented.kind);
  const { text, user: userToken } = presented;
  const keyId = parseKey(text);
  if (keyId !== undefined) return fromKey(deps, call, text, keyId, userToken);
  if (userToken !== undefined || text.startsWith('csk_')) throw refuseCredential(deps, call, 'malformed_key');
  return fromToken(deps, call, text);
}
