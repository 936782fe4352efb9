// Owns the making of a budget.

import type { budgetCreate } from '@countersign/contract/model-operations';
import type { Budget } from '@countersign/core/directory/objects';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';
import { demandCounted, scopeOfMeter } from './meter-scope.ts';

/** Makes a budget over something of this organization; it starts with what its period has already spent. */
export const createBudget: Command<typeof budgetCreate> = async (view, ctx, { body }) => {
  await demandCounted(view, body.scope);
  demand(ctx.actor, 'budgets.write', await scopeOfMeter(view.find, body.scope));
  const id = ctx.newId('budget');
  const state: Budget = { ...body, id };
  return { response: state, changes: [changed({ kind: 'budget', id, state })] };
};
