// Owns changes of a budget: its name, limit, warning and what happens at the limit.

import type { budgetUpdate } from '@countersign/contract/model-operations';
import type { Budget } from '@countersign/core/directory/objects';
import { type Command, changed } from './command.ts';
import { difference } from './difference.ts';
import { demand } from './guard.ts';
import { scopeOfMeter } from './meter-scope.ts';

/** Changes what the body names; scope and period stay, so that what is counted keeps its meaning. */
export const updateBudget: Command<typeof budgetUpdate> = async (view, ctx, { params, body }) => {
  const { state: before } = await view.need('budget', params.id);
  demand(ctx.actor, 'budgets.write', await scopeOfMeter(view.find, before.scope));
  const state: Budget = {
    ...before,
    name: body.name ?? before.name,
    limitNanos: body.limitNanos ?? before.limitNanos,
    warnAtPercent: body.warnAtPercent ?? before.warnAtPercent,
    action: body.action ?? before.action,
  };
  const changes = difference(before, changed({ kind: 'budget', id: before.id, state }));
  return { response: state, changes };
};
