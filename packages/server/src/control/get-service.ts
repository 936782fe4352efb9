// Owns the view of one service.

import type { serviceGet } from '@countersign/contract/directory-operations';
import { inScope, needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** The service, if the asker may read it. */
export const getService: Query<typeof serviceGet> = async (ctx, { params }) =>
  (
    await needVisible(
      ctx,
      'service',
      params.id,
      inScope(ctx, 'principals.read', ({ workspaceId }) => workspaceId),
    )
  ).state;
