// Owns tokens and money by day: what `/usage` groups, and what budgets restart from.

import type { OrgId } from '@countersign/core/ids';
import type { Store, Tx, UsageDailyTable } from './schema.ts';

export type UsageRow = Omit<UsageDailyTable, 'org_id'>;

const dimensions = [
  'day',
  'dimensions',
  'user_id',
  'key_id',
  'team_ids',
  'workspace_id',
  'cost_centre',
  'model',
  'model_id',
  'application_id',
] as const;
const counters = [
  'requests',
  'estimated',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'reasoning_tokens',
  'cost_nanos',
] as const;

/** Adds to the day's rows; a row appears with its first call. */
export async function addUsage(tx: Tx, orgId: OrgId, rows: readonly UsageRow[]): Promise<void> {
  for (const row of rows) {
    await tx
      .insertInto('usage_daily')
      .values({ org_id: orgId, ...row })
      .onConflict((conflict) =>
        conflict.columns(['org_id', 'day', 'dimensions']).doUpdateSet((eb) => ({
          requests: eb('usage_daily.requests', '+', row.requests),
          estimated: eb('usage_daily.estimated', '+', row.estimated),
          input_tokens: eb('usage_daily.input_tokens', '+', row.input_tokens),
          output_tokens: eb('usage_daily.output_tokens', '+', row.output_tokens),
          cached_tokens: eb('usage_daily.cached_tokens', '+', row.cached_tokens),
          reasoning_tokens: eb('usage_daily.reasoning_tokens', '+', row.reasoning_tokens),
          cost_nanos: eb('usage_daily.cost_nanos', '+', row.cost_nanos),
        })),
      )
      .execute();
  }
}

/** The rows of the days [fromDay, toDay], of one person if `userId` is given. */
export async function readUsage(
  store: Store,
  orgId: OrgId,
  span: { readonly fromDay: number; readonly toDay: number; readonly userId?: string },
): Promise<readonly UsageRow[]> {
  let query = store
    .selectFrom('usage_daily')
    .select([...dimensions, ...counters])
    .where('org_id', '=', orgId)
    .where('day', '>=', span.fromDay)
    .where('day', '<=', span.toDay);
  if (span.userId !== undefined) query = query.where('user_id', '=', span.userId);
  return query.orderBy('day').execute();
}
