// Owns the trusting of a token issuer.

import type { tokenIssuerCreate } from '@countersign/contract/access-operations';
import type { TokenIssuer } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { checkTokenIssuer } from './check-token-issuer.ts';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Trusts an issuer for tokens to the audience that we assign: one per organization, so that a token names one. */
export const createTokenIssuer: Command<typeof tokenIssuerCreate> = async (view, ctx, { body }) => {
  demand(ctx.actor, 'token_issuers.write', 'organization');
  const id = ctx.newId('tokenIssuer');
  const state: TokenIssuer = {
    ...body,
    id,
    audience: `urn:countersign:${ctx.orgId}`,
    status: 'active',
  };
  await checkTokenIssuer(view, ctx, state);
  const known = await view.findByKey('tokenIssuer', `${state.issuer} ${state.audience}`);
  if (known !== undefined)
    throw new AppError(
      'already_exists',
      `the issuer \`${state.issuer}\` is trusted already, as \`${known.state.name}\`: change \`${known.state.id}\`, or remove it first`,
    );
  return { response: state, changes: [changed({ kind: 'tokenIssuer', id, state })] };
};
