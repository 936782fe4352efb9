// Owns the list of budgets, with what their current periods have spent.

import type { budgetList } from '@countersign/contract/model-operations';
import { budgetViewsOf } from './budget-view.ts';
import { inScope, visiblePage } from './list-visible.ts';
import { finderOf, scopeOfMeter } from './meter-scope.ts';
import type { Query } from './run-query.ts';

/** Budgets, newest first, as far as the asker may read them. */
export const listBudgets: Query<typeof budgetList> = async (ctx, { query }) => {
  const find = finderOf(ctx);
  const isVisible = inScope<'budget'>(ctx, 'budgets.read', ({ scope }) => scopeOfMeter(find, scope));
  const page = await visiblePage(ctx, 'budget', query, isVisible);
  const items = await budgetViewsOf(
    ctx,
    page.rows.map(({ state }) => state),
  );
  return page.next === undefined ? { items } : { items, next: page.next };
};
