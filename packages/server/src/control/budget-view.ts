// Owns how a budget is shown: with what its current period has spent so far, as the records tell.

import type { budgetView } from '@countersign/contract/model-operations';
import type { Budget } from '@countersign/core/directory/objects';
import { isId, isPrincipalId, type PrincipalId } from '@countersign/core/ids';
import { dayMs, periodBounds } from '@countersign/core/metering/period';
import { type SpentRow, spentByBudget } from '@countersign/core/metering/spent';
import type { z } from 'zod';
import { readUsage, type UsageRow } from '../stores/usage.ts';
import type { QueryContext } from './run-query.ts';

/** The agents of a row: the last of its dimensions, between spaces. */
function agentsOf(row: UsageRow): readonly PrincipalId[] {
  const dimensions: unknown = JSON.parse(row.dimensions);
  const last: unknown = Array.isArray(dimensions) ? dimensions.at(-1) : undefined;
  return typeof last === 'string' ? last.split(' ').filter(isPrincipalId) : [];
}

function spentRow(row: UsageRow): readonly SpentRow[] {
  const { workspace_id: workspaceId, model_id: modelId, key_id: keyId } = row;
  if (workspaceId === null || !isId('workspace', workspaceId)) return [];
  if (modelId === null || !isId('model', modelId)) return [];
  const answerable = row.user_id ?? row.application_id ?? '';
  return [
    {
      day: row.day,
      costNanos: row.cost_nanos,
      principalIds: [...(isPrincipalId(answerable) ? [answerable] : []), ...agentsOf(row)],
      keyId: keyId !== null && isId('key', keyId) ? keyId : undefined,
      teamIds: row.team_ids.split(' ').filter((id) => isId('team', id)),
      workspaceId,
      costCentre: row.cost_centre ?? undefined,
      modelId,
    },
  ];
}

/** Views of budgets. What running calls hold in reservations is known to the process that serves them alone. */
export async function budgetViewsOf(
  ctx: QueryContext,
  budgets: readonly Budget[],
): Promise<z.infer<typeof budgetView>[]> {
  if (budgets.length === 0) return [];
  const bounds = budgets.map(({ period }) => periodBounds(period, ctx.nowMs));
  const fromDay = Math.floor(Math.min(...bounds.map(({ startMs }) => startMs)) / dayMs);
  const rows = await readUsage(ctx.store, ctx.orgId, { fromDay, toDay: Math.floor(ctx.nowMs / dayMs) });
  const spent = spentByBudget(budgets, rows.flatMap(spentRow), ctx.nowMs);
  return budgets.map((budget, i) => {
    const endMs = bounds[i]?.endMs ?? null;
    const usedNanos = spent.get(budget.id) ?? 0;
    return endMs === null
      ? { ...budget, usedNanos }
      : { ...budget, usedNanos, resetsAt: new Date(endMs).toISOString() };
  });
}
