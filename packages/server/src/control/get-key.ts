// Owns the view of one virtual key.

import type { keyGet } from '@countersign/contract/access-operations';
import { readKeyUses } from '../stores/bookkeeping.ts';
import { keyViewOf } from './key-view.ts';
import { needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';
import { visibleKeys } from './visible-keys.ts';

/** The key without its secret, if the asker may see it. */
export const getKey: Query<typeof keyGet> = async (ctx, { params }) => {
  const { state, createdAt } = await needVisible(ctx, 'key', params.id, visibleKeys(ctx));
  const uses = await readKeyUses(ctx.store, ctx.orgId, [state.id]);
  return keyViewOf(state, createdAt, uses.get(state.id));
};
