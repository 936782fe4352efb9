// Owns the list of virtual keys: those that the asker may read, or only their own.

import type { keyList } from '@countersign/contract/access-operations';
import { readKeyUses } from '../stores/bookkeeping.ts';
import { keyViewOf } from './key-view.ts';
import { visiblePage } from './list-visible.ts';
import type { Query } from './run-query.ts';
import { visibleKeys } from './visible-keys.ts';

/** Keys, newest first. Who may not read keys sees their own and those of their agents. */
export const listKeys: Query<typeof keyList> = async (ctx, { query }) => {
  const page = await visiblePage(ctx, 'key', query, visibleKeys(ctx));
  const ids = page.rows.map(({ state }) => state.id);
  const uses = await readKeyUses(ctx.store, ctx.orgId, ids);
  const items = page.rows.map(({ state, createdAt }) => keyViewOf(state, createdAt, uses.get(state.id)));
  return page.next === undefined ? { items } : { items, next: page.next };
};
