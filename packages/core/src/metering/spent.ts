// Owns the rebuilding of what is spent from recorded calls, after a start or for a new budget.

import type { Budget } from '../directory/objects.ts';
import type { BudgetId } from '../ids.ts';
import { maxNanos } from './cost.ts';
import { applicable, type CallDimensions, indexByScope } from './dimensions.ts';
import { dayMs, periodBounds } from './period.ts';

/**
 * The recorded cost of one call, or of all calls of one UTC day with the same dimensions. An intent without an
 * outcome (the process died between them) is given as a row with its reserved worst case: nobody knows what the
 * provider billed, and a budget never counts too little.
 */
export type SpentRow = CallDimensions & {
  /** Days since 1970-01-01 UTC of the moment when the call was reserved. */
  readonly day: number;
  readonly costNanos: bigint;
};

/** What each budget has spent in the period that holds `nowMs`, in nano-units; budgets with nothing are left out. */
export function spentByBudget(
  budgets: readonly Budget[],
  rows: Iterable<SpentRow>,
  nowMs: number,
): ReadonlyMap<BudgetId, number> {
  const entries = budgets.map((budget) => {
    const { startMs, endMs } = periodBounds(budget.period, nowMs);
    return { budget, first: startMs / dayMs, end: endMs === null ? Number.POSITIVE_INFINITY : endMs / dayMs };
  });
  const index = indexByScope(entries, (entry) => entry.budget.scope);
  const sums = new Map<BudgetId, bigint>();
  for (const row of rows) {
    for (const { budget, first, end } of applicable(index, row)) {
      if (row.day < first || row.day >= end) continue;
      sums.set(budget.id, (sums.get(budget.id) ?? 0n) + row.costNanos);
    }
  }
  const spent = new Map<BudgetId, number>();
  for (const [id, sum] of sums) spent.set(id, sum > BigInt(maxNanos) ? maxNanos : Number(sum));
  return spent;
}
