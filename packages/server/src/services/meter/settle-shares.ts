// Owns how a call that might have run several models is settled: each model's budgets and limits with that model's part.

import type { MeterScope } from '@countersign/core/directory/scalars';
import type { CallDimensions } from '@countersign/core/metering/dimensions';
import { addNanos } from '@countersign/core/metering/rules';
import type { BudgetMove, SharedCounters } from './shared-counters.ts';
import type { OpenCall, Shares } from './state.ts';

type Used = { readonly nanos: number; readonly tokens: number };

/** What a scope counts of the call: all of it, but of a model what that model used. */
function partOf(scope: MeterScope, whole: Used, { ran, beside }: Shares): Used {
  if (scope.kind !== 'model') return whole;
  let own = { nanos: 0, tokens: 0 };
  let others = { nanos: 0, tokens: 0 };
  for (const { modelId, nanos, tokens } of beside) {
    const sum = modelId === scope.id ? own : others;
    const more = { nanos: addNanos(sum.nanos, nanos), tokens: sum.tokens + tokens };
    if (modelId === scope.id) own = more;
    else others = more;
  }
  if (scope.id !== ran) return own;
  return {
    nanos: Math.max(0, whole.nanos - others.nanos),
    tokens: Math.max(0, whole.tokens - others.tokens),
  };
}

/** Settles each budget and limit by itself. Together they are all that the call held, each once. */
export function settleShares(
  counters: SharedCounters,
  call: OpenCall,
  whole: Used,
  shares: Shares,
  nowMs: number,
): readonly BudgetMove[] {
  const { nanos, tokens, atMs } = call;
  const moves: BudgetMove[] = [];
  const settle = (scope: MeterScope, held: Pick<OpenCall, 'budgets' | 'rates'>): void => {
    const part = partOf(scope, whole, shares);
    const { budgets, rates } = held;
    moves.push(...counters.settle({ budgets, rates, nanos, tokens, atMs }, part.nanos, part.tokens, nowMs));
  };
  for (const term of call.budgets) settle(term.budget.scope, { budgets: [term], rates: [] });
  for (const term of call.rates) settle(term.limit.scope, { budgets: [], rates: [term] });
  return moves;
}

/** What an ended call is counted under from now on: the model that ran, as its record says. */
export function settledDims(dims: CallDimensions, { ran }: Shares): CallDimensions {
  return { ...dims, modelId: ran, otherModelIds: undefined };
}
