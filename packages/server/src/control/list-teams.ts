// Owns the list of teams.

import type { teamList } from '@countersign/contract/directory-operations';
import { inScope, listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** Teams, newest first, as far as the asker may read them. */
export const listTeams: Query<typeof teamList> = (ctx, { query }) =>
  listStates(
    ctx,
    'team',
    query,
    inScope(ctx, 'teams.read', ({ workspaceId }) => workspaceId),
  );
