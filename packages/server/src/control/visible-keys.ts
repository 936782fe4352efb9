// Owns which keys an asker may see: those of workspaces that they may read, and their own.

import { may } from './guard.ts';
import type { IsVisible } from './list-visible.ts';
import { finderOf } from './meter-scope.ts';
import { isOwn } from './reach.ts';
import type { QueryContext } from './run-query.ts';

/** Whether the asker may see a key. */
export function visibleKeys(ctx: QueryContext): IsVisible<'key'> {
  if (may(ctx.actor, 'keys.read', 'organization')) return () => true;
  const find = finderOf(ctx);
  return ({ principalId, workspaceId }) =>
    may(ctx.actor, 'keys.read', workspaceId) || isOwn({ find }, ctx.actor, principalId);
}
