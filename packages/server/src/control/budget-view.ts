// Owns how a budget is shown: with what its current period has spent so far, as the records tell.

import type { budgetView } from '@countersign/contract/model-operations';
import type { Budget } from '@countersign/core/directory/objects';
import { dayMs, periodBounds } from '@countersign/core/metering/period';
import { spentByBudget } from '@countersign/core/metering/spent';
import type { z } from 'zod';
import { readUsage, spentRowOf } from '../stores/usage.ts';
import type { QueryContext } from './run-query.ts';

/** Views of budgets. What running calls hold in reservations is known to the process that serves them alone. */
export async function budgetViewsOf(
  ctx: QueryContext,
  budgets: readonly Budget[],
): Promise<z.infer<typeof budgetView>[]> {
  if (budgets.length === 0) return [];
  const bounds = budgets.map(({ period }) => periodBounds(period, ctx.nowMs));
  const fromDay = Math.floor(Math.min(...bounds.map(({ startMs }) => startMs)) / dayMs);
  const rows = await readUsage(ctx.store, ctx.orgId, { fromDay, toDay: Math.floor(ctx.nowMs / dayMs) });
  const spent = spentByBudget(budgets, rows.flatMap(spentRowOf), ctx.nowMs);
  return budgets.map((budget, i) => {
    const endMs = bounds[i]?.endMs ?? null;
    const usedNanos = spent.get(budget.id) ?? 0;
    return endMs === null
      ? { ...budget, usedNanos }
      : { ...budget, usedNanos, resetsAt: new Date(endMs).toISOString() };
  });
}
