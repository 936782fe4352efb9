// Owns the view of one token issuer.

import type { tokenIssuerGet } from '@countersign/contract/access-operations';
import { inScope, needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** The token issuer, if the asker may read it. */
export const getTokenIssuer: Query<typeof tokenIssuerGet> = async (ctx, { params }) =>
  (
    await needVisible(
      ctx,
      'tokenIssuer',
      params.id,
      inScope(ctx, 'token_issuers.read', () => 'organization'),
    )
  ).state;
