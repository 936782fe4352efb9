// Owns which agents an asker may see: those of workspaces whose people they may read, and their own.

import { may } from './guard.ts';
import type { IsVisible } from './list-visible.ts';
import type { QueryContext } from './run-query.ts';

/** Whether the asker may see an agent. */
export function visibleAgents(ctx: Pick<QueryContext, 'actor'>): IsVisible<'agent'> {
  if (may(ctx.actor, 'principals.read', 'organization')) return () => true;
  return ({ workspaceId, ownerId }) =>
    ownerId === ctx.actor.person || may(ctx.actor, 'principals.read', workspaceId);
}
