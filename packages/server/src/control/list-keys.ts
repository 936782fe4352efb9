// Owns the list of virtual keys: all of them, or without the permission one's own.

import type { keyList } from '@countersign/contract/access-operations';
import { allows } from '@countersign/core/access/authority';
import { readKeyUses } from '../stores/bookkeeping.ts';
import { listPage } from '../stores/objects.ts';
import { keyViewOf } from './key-view.ts';
import { pageFrom, type Query } from './run-query.ts';

/** Keys, newest first. Who may not read all keys sees those of their own principal. */
export const listKeys: Query<typeof keyList> = async (ctx, { query }) => {
  const seesAll = allows(ctx.actor.authority, 'keys.read', 'organization');
  const rows = await listPage(ctx.store, ctx.orgId, 'key', {
    after: query.cursor,
    limit: query.limit,
    ...(seesAll ? {} : { owner: ctx.actor.principalId }),
  });
  const page = pageFrom(rows, query.limit, ({ state }) => state.id);
  const uses = await readKeyUses(
    ctx.store,
    ctx.orgId,
    page.items.map(({ state }) => state.id),
  );
  const items = page.items.map(({ state, createdAt }) => keyViewOf(state, createdAt, uses.get(state.id)));
  return page.next === undefined ? { items } : { items, next: page.next };
};
