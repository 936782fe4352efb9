// Owns what a trusted token issuer must not be: more powerful than who trusts it, or a holder of private keys.

import { rolePermissions } from '@countersign/core/access/permissions';
import type { TokenIssuer } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { CommandContext } from './command.ts';
import { demandAll } from './guard.ts';
import { demandPlainUrl } from './plain-url.ts';
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
