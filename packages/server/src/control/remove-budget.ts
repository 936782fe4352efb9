// Owns the end of a budget.

import type { budgetRemove } from '@countersign/contract/model-operations';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';
import { scopeOfMeter } from './meter-scope.ts';

/** Removes a budget: it limits nothing from the next call on. */
export const removeBudget: Command<typeof budgetRemove> = async (view, ctx, { params }) => {
  const { state } = await view.need('budget', params.id);
  demand(ctx.actor, 'budgets.write', await scopeOfMeter(view.find, state.scope));
  return {
    response: { id: state.id, removed: true },
    changes: [changed({ kind: 'budget', id: state.id, state: null })],
  };
};
