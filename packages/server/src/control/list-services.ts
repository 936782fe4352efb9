// Owns the list of services.

import type { serviceList } from '@countersign/contract/directory-operations';
import { inScope, listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** Services, newest first, as far as the asker may read them. */
export const listServices: Query<typeof serviceList> = (ctx, { query }) =>
  listStates(
    ctx,
    'service',
    query,
    inScope(ctx, 'principals.read', ({ workspaceId }) => workspaceId),
  );
