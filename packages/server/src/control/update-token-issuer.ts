// Owns changes of a trusted token issuer.

import type { tokenIssuerUpdate } from '@countersign/contract/access-operations';
import type { TokenIssuer } from '@countersign/core/directory/objects';
import { checkTokenIssuer, demandVouching } from './check-token-issuer.ts';
import { type Command, changed } from './command.ts';
import { difference } from './difference.ts';
import { demand } from './guard.ts';

/** Changes what the body names; the issuer's URL and our audience never change. */
export const updateTokenIssuer: Command<typeof tokenIssuerUpdate> = async (view, ctx, { params, body }) => {
  demand(ctx.actor, 'token_issuers.write', 'organization');
  const { state: before } = await view.need('tokenIssuer', params.id);
  await checkTokenIssuer(view, ctx, before);
  const state: TokenIssuer = {
    ...before,
    name: body.name ?? before.name,
    keys: body.keys ?? before.keys,
    algorithms: body.algorithms ?? before.algorithms,
    claims: body.claims ?? before.claims,
    requiredClaims: body.requiredClaims ?? before.requiredClaims,
    roleMap: body.roleMap ?? before.roleMap,
    teamMap: body.teamMap ?? before.teamMap,
    justInTime: body.justInTime ?? before.justInTime,
    workspaceId: body.workspaceId ?? before.workspaceId,
    maxTokenAgeSeconds: body.maxTokenAgeSeconds ?? before.maxTokenAgeSeconds,
    status: body.status ?? before.status,
  };
  await checkTokenIssuer(view, ctx, state);
  await demandVouching(view, ctx, before, state);
  const changes = difference(before, changed({ kind: 'tokenIssuer', id: before.id, state }));
  return { response: state, changes };
};
