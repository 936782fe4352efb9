// Owns the view of one team.

import type { teamGet } from '@countersign/contract/directory-operations';
import { inScope, needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** The team, if the asker may read it. */
export const getTeam: Query<typeof teamGet> = async (ctx, { params }) =>
  (
    await needVisible(
      ctx,
      'team',
      params.id,
      inScope(ctx, 'teams.read', ({ workspaceId }) => workspaceId),
    )
  ).state;
