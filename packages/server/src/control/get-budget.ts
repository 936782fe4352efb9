// Owns the view of one budget, with what its current period has spent.

import type { budgetGet } from '@countersign/contract/model-operations';
import { AppError } from '@countersign/core/errors';
import { budgetViewsOf } from './budget-view.ts';
import { inScope, needVisible } from './list-visible.ts';
import { finderOf, scopeOfMeter } from './meter-scope.ts';
import type { Query } from './run-query.ts';

/** The budget, if the asker may read it. */
export const getBudget: Query<typeof budgetGet> = async (ctx, { params }) => {
  const find = finderOf(ctx);
  const isVisible = inScope<'budget'>(ctx, 'budgets.read', ({ scope }) => scopeOfMeter(find, scope));
  const { state } = await needVisible(ctx, 'budget', params.id, isVisible);
  const [view] = await budgetViewsOf(ctx, [state]);
  if (view === undefined) throw new AppError('internal', 'a budget gave no view');
  return view;
};
