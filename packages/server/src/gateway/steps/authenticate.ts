// Owns step 1: from what a request presents to a credential and its organization. Nobody is anonymous.

import { AppError } from '@countersign/core/errors';
import type { Credential } from '@countersign/core/identity/actor';
import type { KeyId, OrgId } from '@countersign/core/ids';
import { hasGoodChecksum, parseKey } from '@countersign/core/tokens/key-format';
import { readCredentials } from '../../platform/http/credentials.ts';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import type { InboundCall } from '../call.ts';
import type { GatewayDeps } from '../deps.ts';

export type Authenticated = { readonly snapshot: OrgSnapshot; readonly credential: Credential };

const advice =
  'send a Countersign key as `Authorization: Bearer` or `x-api-key`, or a token of a trusted issuer';

/** Counts the refusal and makes the error: the caller learns nothing of which part was wrong. */
export function refuseCredential(
  deps: Pick<GatewayDeps, 'noteRefused'>,
  call: Pick<InboundCall, 'address'>,
  reason: string,
): AppError {
  deps.noteRefused(call.address, reason);
  return new AppError(
    'authentication_failed',
    `the credential is missing, unknown, expired or revoked: ${advice}`,
  );
}

async function fromKey(
  deps: GatewayDeps,
  call: InboundCall,
  text: string,
  keyId: KeyId,
  userToken: string | undefined,
): Promise<Authenticated> {
  const found = deps.organizationOfKey(keyId);
  const orgId = found instanceof Promise ? await found : found;
  if (orgId === undefined || !hasGoodChecksum(text)) throw refuseCredential(deps, call, 'unknown_key');
  const snapshot = deps.snapshots.peek(orgId) ?? (await deps.snapshots.get(orgId));
  const presentedHash = deps.hashCredential(text);
  if (userToken === undefined) return { snapshot, credential: { kind: 'key', keyId, presentedHash } };
  const token = await verified(deps, call, userToken, orgId);
  return { snapshot, credential: { kind: 'key_with_token', keyId, presentedHash, token } };
}

async function verified(deps: GatewayDeps, call: InboundCall, text: string, orgId: OrgId | undefined) {
  const caller = await deps.verifyToken(text);
  // INVARIANT: exactly one organization follows from each credential; two that disagree are refused.
  if (caller === undefined || (orgId !== undefined && caller.orgId !== orgId)) {
    throw refuseCredential(deps, call, 'token_refused');
  }
  return caller.token;
}

async function fromToken(deps: GatewayDeps, call: InboundCall, text: string): Promise<Authenticated> {
  const caller = await deps.verifyToken(text);
  if (caller === undefined) throw refuseCredential(deps, call, 'token_refused');
  const snapshot = await deps.snapshots.get(caller.orgId);
  return { snapshot, credential: { kind: 'token', token: caller.token } };
}

/**
 * The credential of a request, checked for form and signature; whether it lives is decided against the
 * directory at each decision. Throws `authentication_failed` or `credential_conflict`.
 */
export async function authenticate(deps: GatewayDeps, call: InboundCall): Promise<Authenticated> {
  const presented = readCredentials(call.rawHeaders);
  if (presented.kind === 'conflict') throw new AppError('credential_conflict', presented.message);
  if (presented.kind !== 'credential') throw refuseCredential(deps, call, presented.kind);
  const { text, user: userToken } = presented;
  const keyId = parseKey(text);
  if (keyId !== undefined) return fromKey(deps, call, text, keyId, userToken);
  if (userToken !== undefined || text.startsWith('csk_')) throw refuseCredential(deps, call, 'malformed_key');
  return fromToken(deps, call, text);
}
