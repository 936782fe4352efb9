// Owns the list of providers.

import type { providerList } from '@countersign/contract/model-operations';
import { inScope, visiblePage } from './list-visible.ts';
import { providerViewOf } from './provider-view.ts';
import type { Query } from './run-query.ts';

/** Providers, newest first: whether each has a key, never the key. */
export const listProviders: Query<typeof providerList> = async (ctx, { query }) => {
  const isVisible = inScope<'provider'>(ctx, 'providers.read', () => 'organization');
  const page = await visiblePage(ctx, 'provider', query, isVisible);
  const items = page.rows.map(({ state }) => providerViewOf(state));
  return page.next === undefined ? { items } : { items, next: page.next };
};
