// Owns what a trusted token issuer must not be: more powerful than who trusts it, or a holder of private keys.

import { rolePermissions } from '@countersign/core/access/permissions';
import type { TokenIssuer } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { isId } from '@countersign/core/ids';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { CommandContext } from './command.ts';
import { demandAll } from './guard.ts';
import { demandPlainUrl } from './plain-url.ts';
import { heldBeyond } from './reach.ts';
import type { View } from './view.ts';

/** Members that only a private or a symmetric key has (RFC 7518 section 6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function checkKeys(keys: TokenIssuer['keys']): void {
  if (keys.kind === 'jwks_uri') demandPlainUrl('keys.url', keys.url);
  if (keys.kind !== 'jwks') return;
  for (const key of keys.jwks.keys) {
    if (key.kty === 'oct' || privateMembers.some((name) => Object.hasOwn(key, name))) {
      throw new AppError(
        'invalid_request',
        '`keys.jwks` may hold public keys only: take the private members out',
      );
    }
  }
  try {
    canonicalJson(keys.jwks);
  } catch (error) {
    throw new AppError('invalid_request', '`keys.jwks` must be plain JSON with whole numbers', {
      cause: error,
    });
  }
}

/**
 * Checks a whole issuer as it would be. INVARIANT: its tokens give no role that the actor could not give, on
 * every change of it, since new keys or claims would give the old roles to other people.
 */
export async function checkTokenIssuer(view: View, ctx: CommandContext, issuer: TokenIssuer): Promise<void> {
  await view.need('workspace', issuer.workspaceId);
  for (const role of new Set(Object.values(issuer.roleMap)))
    demandAll(ctx.actor, rolePermissions[role], 'organization');
  for (const teamId of new Set(Object.values(issuer.teamMap))) await view.need('team', teamId);
  demandPlainUrl('issuer', issuer.issuer);
  checkKeys(issuer.keys);
}

/** What decides whose calls a token of this issuer makes, and where: all but its name and what it gives the new. */
function vouching({ id: _id, name, roleMap, teamMap, justInTime, status, ...rest }: TokenIssuer): string {
  return canonicalJson(rest);
}

/**
 * Refuses to change what vouches for people who hold what the actor lacks: with keys of their own they would call as
 * those people. To suspend an issuer, or to end it, is free: a person is found by the issuer's id, so one that is
 * trusted anew under the same URL leads to nobody whom the former one led to.
 */
export async function demandVouching(
  view: View,
  ctx: CommandContext,
  before: TokenIssuer,
  after: TokenIssuer,
): Promise<void> {
  const isRevived = before.status !== 'active' && after.status === 'active';
  if (!isRevived && vouching(before) === vouching(after)) return;
  for (const { principalId, role } of await heldBeyond(view, ctx.actor)) {
    if (!isId('user', principalId)) continue;
    const user = await view.find('user', principalId);
    if (user?.state.external?.issuerId !== before.id) continue;
    throw new AppError(
      'permission_denied',
      `tokens of this issuer stand for someone who holds \`${role}\`, which you could not give: ask someone who could`,
    );
  }
}
