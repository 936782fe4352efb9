// Owns the end of trust in a token issuer.

import type { tokenIssuerRemove } from '@countersign/contract/access-operations';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Ends the trust: tokens of this issuer fail at their next use. Roles that it gave can then be taken here. */
export const removeTokenIssuer: Command<typeof tokenIssuerRemove> = async (view, ctx, { params }) => {
  demand(ctx.actor, 'token_issuers.write', 'organization');
  const { state } = await view.need('tokenIssuer', params.id);
  return {
    response: { id: state.id, removed: true },
    changes: [changed({ kind: 'tokenIssuer', id: state.id, state: null })],
  };
};
