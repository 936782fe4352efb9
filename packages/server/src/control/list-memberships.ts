// Owns the list of memberships of teams.

import type { membershipList } from '@countersign/contract/directory-operations';
import { findObject } from '../stores/objects.ts';
import { inScope, listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** Memberships, newest first, of the teams that the asker may read. */
export const listMemberships: Query<typeof membershipList> = (ctx, { query }) => {
  const isVisible = inScope<'membership'>(ctx, 'teams.read', async ({ teamId }) => {
    const team = await findObject(ctx.store, ctx.orgId, 'team', teamId);
    return team?.state.workspaceId ?? 'organization';
  });
  return listStates(ctx, 'membership', query, isVisible);
};
