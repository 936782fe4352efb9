// Owns the list of token issuers.

import type { tokenIssuerList } from '@countersign/contract/access-operations';
import { inScope, listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** Token issuers, newest first, as far as the asker may read them. */
export const listTokenIssuers: Query<typeof tokenIssuerList> = (ctx, { query }) =>
  listStates(
    ctx,
    'tokenIssuer',
    query,
    inScope(ctx, 'token_issuers.read', () => 'organization'),
  );
