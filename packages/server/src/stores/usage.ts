// Owns tokens and money by day: what `/usage` groups, and what budgets restart from.

import { AppError } from '@countersign/core/errors';
import { isId, isPrincipalId, type OrgId } from '@countersign/core/ids';
import type { SpentRow } from '@countersign/core/metering/spent';
import { parseJson } from '@countersign/core/parse-json';
import type { BuiltStatements } from './built-statements.ts';
import { insertRows } from './insert-rows.ts';
import type { Store, Tx, UsageDailyTable, UsageDimensionsTable } from './schema.ts';
import type { UsageNumbers } from './usage-numbers.ts';

/** What is added to a day, or read of it. */
export type UsageRow = Omit<UsageDimensionsTable, 'org_id' | 'dimension_id'> &
  Omit<UsageDailyTable, 'org_id' | 'dimension_id'>;

const dimensions = [
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
  const dimensions: unknown = parseJson(row.dimensions);
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
  numbers: UsageNumbers,
  built?: BuiltStatements,
): Promise<void> {
  const numbered = await numbers.of(tx, orgId, rows, built);
  const counts = rows.map((row, i) => {
    const number = numbered[i];
    if (number === undefined) throw new AppError('internal', 'usage has nobody that it counts for');
    return {
      day: row.day,
      dimension_id: number,
      requests: row.requests,
      estimated: row.estimated,
      input_tokens: row.input_tokens,
      output_tokens: row.output_tokens,
      cached_tokens: row.cached_tokens,
      reasoning_tokens: row.reasoning_tokens,
      cost_nanos: row.cost_nanos,
    };
  });
  await insertRows(
    tx,
    orgId,
    counts,
    (part) =>
      tx
        .insertInto('usage_daily')
        .values(part.map((row) => ({ org_id: orgId, ...row })))
        .onConflict((conflict) =>
          conflict.columns(['org_id', 'day', 'dimension_id']).doUpdateSet((eb) => ({
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

export type UsageSpan = { readonly fromDay: number; readonly toDay: number; readonly userId?: string };

type Counted = Omit<UsageDailyTable, 'org_id'>;
type Dimensions = Omit<UsageDimensionsTable, 'org_id'>;

/** What the days counted, of some numbers if they are given. */
async function readCounts(
  store: Store,
  orgId: OrgId,
  { fromDay, toDay }: UsageSpan,
  of: readonly number[] | undefined,
): Promise<readonly Counted[]> {
  let query = store
    .selectFrom('usage_daily')
    .select(['day', 'dimension_id', ...counters])
    .where('org_id', '=', orgId)
    .where('day', '>=', fromDay)
    .where('day', '<=', toDay);
  if (of !== undefined) query = query.where('dimension_id', 'in', [...of]);
  return query.orderBy('day').execute();
}

/** What one person's calls are counted for; of everybody's, what these counts need. */
async function readDimensions(
  store: Store,
  orgId: OrgId,
  only: { readonly userId: string } | { readonly counts: readonly Counted[] },
): Promise<readonly Dimensions[]> {
  const query = store
    .selectFrom('usage_dimensions')
    .select(['dimension_id', ...dimensions])
    .where('org_id', '=', orgId);
  if ('userId' in only) return query.where('user_id', '=', only.userId).execute();
  const last = only.counts.reduce((most, row) => Math.max(most, row.dimension_id), 0);
  return query.where('dimension_id', '<=', last).execute();
}

/** Numbers that one statement asks for. */
const page = 500;

async function readPerson(
  store: Store,
  orgId: OrgId,
  span: UsageSpan,
  userId: string,
): Promise<{ readonly named: readonly Dimensions[]; readonly counts: readonly Counted[] }> {
  const named = await readDimensions(store, orgId, { userId });
  const counts: Counted[] = [];
  for (let at = 0; at < named.length; at += page) {
    const some = named.slice(at, at + page).map((row) => row.dimension_id);
    counts.push(...(await readCounts(store, orgId, span, some)));
  }
  return { named, counts };
}

/** The rows of the days [fromDay, toDay], of one person if `userId` is given. */
export async function readUsage(store: Store, orgId: OrgId, span: UsageSpan): Promise<readonly UsageRow[]> {
  const { userId } = span;
  const { named, counts } =
    userId === undefined
      ? await readCounts(store, orgId, span, undefined).then(async (all) => ({
          named: await readDimensions(store, orgId, { counts: all }),
          counts: all,
        }))
      : await readPerson(store, orgId, span, userId);
  const byNumber = new Map(named.map(({ dimension_id: number, ...row }) => [number, row]));
  return counts
    .flatMap(({ dimension_id: number, ...counted }) => {
      const row = byNumber.get(number);
      return row === undefined ? [] : [{ ...row, ...counted }];
    })
    .sort((one, two) => one.day - two.day);
}
