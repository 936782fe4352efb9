// Owns tokens and money by day: what `/usage` groups, and what budgets restart from.

import { isId, isPrincipalId, type OrgId } from '@countersign/core/ids';
import type { SpentRow } from '@countersign/core/metering/spent';
import type { BuiltStatements } from './built-statements.ts';
import { insertRows } from './insert-rows.ts';
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

function agentsOf(row: UsageRow): readonly string[] {
  const dimensions: unknown = JSON.parse(row.dimensions);
  const last: unknown = Array.isArray(dimensions) ? dimensions.at(-1) : undefined;
  return typeof last === 'string' && last !== '' ? last.split(' ') : [];
}

/** A row in the meter's dimensions; nothing of a call in no workspace. */
export function spentRowOf(row: UsageRow): readonly SpentRow[] {
  const { workspace_id: workspaceId, model_id: modelId } = row;
  if (workspaceId === null || !isId('workspace', workspaceId)) return [];
  const principals = [row.user_id, row.application_id, ...agentsOf(row)].flatMap((id) =>
    id !== null && isPrincipalId(id) ? [id] : [],
  );
  // A person's call through an application is the person's: the application is no principal of it.
  const principalIds = row.user_id === null ? principals : principals.filter((id) => !isId('service', id));
  const teamIds = row.team_ids.split(' ').flatMap((id) => (isId('team', id) ? [id] : []));
  return [
    {
      day: row.day,
      costNanos: row.cost_nanos,
      principalIds,
      keyId: row.key_id !== null && isId('key', row.key_id) ? row.key_id : undefined,
      teamIds,
      workspaceId,
      costCentre: row.cost_centre ?? undefined,
      modelId: modelId !== null && isId('model', modelId) ? modelId : undefined,
    },
  ];
}

/** Adds to the day's rows; a row appears with its first call. Rows must differ in day or dimensions. */
export async function addUsage(
  tx: Tx,
  orgId: OrgId,
  rows: readonly UsageRow[],
  built?: BuiltStatements,
): Promise<void> {
  await insertRows(
    tx,
    orgId,
    rows,
    (part) =>
      tx
        .insertInto('usage_daily')
        .values(part.map((row) => ({ org_id: orgId, ...row })))
        .onConflict((conflict) =>
          conflict.columns(['org_id', 'day', 'dimensions']).doUpdateSet((eb) => ({
            requests: eb('usage_daily.requests', '+', eb.ref('excluded.requests')),
            estimated: eb('usage_daily.estimated', '+', eb.ref('excluded.estimated')),
            input_tokens: eb('usage_daily.input_tokens', '+', eb.ref('excluded.input_tokens')),
            output_tokens: eb('usage_daily.output_tokens', '+', eb.ref('excluded.output_tokens')),
            cached_tokens: eb('usage_daily.cached_tokens', '+', eb.ref('excluded.cached_tokens')),
            reasoning_tokens: eb('usage_daily.reasoning_tokens', '+', eb.ref('excluded.reasoning_tokens')),
            cost_nanos: eb('usage_daily.cost_nanos', '+', eb.ref('excluded.cost_nanos')),
          })),
        ),
    'usage_daily',
    built,
  );
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
