// Owns which people an asker may see: all, or those with a role in the workspace of the asker.

import type { PrincipalId } from '@countersign/core/ids';
import { listAssignedIn } from '../stores/object-lists.ts';
import { may } from './guard.ts';
import type { IsVisible } from './list-visible.ts';
import type { QueryContext } from './run-query.ts';

/** Whether the asker may see a person. */
export async function visibleUsers(ctx: QueryContext): Promise<IsVisible<'user'>> {
  if (may(ctx.actor, 'principals.read', 'organization')) return () => true;
  const { workspaceId } = ctx.actor.authority;
  if (!may(ctx.actor, 'principals.read', workspaceId)) return ({ id }) => id === ctx.actor.person;
  const assigned = await listAssignedIn(ctx.store, ctx.orgId, workspaceId);
  const ids = new Set<PrincipalId>(assigned.map(({ state }) => state.principalId));
  return ({ id }) => ids.has(id);
}
