// Owns the report of tokens and cost, grouped by what the asker names, as far as they may see it.

import { usageGroups, type usageList } from '@countersign/contract/usage-operations';
import { AppError } from '@countersign/core/errors';
import { isId } from '@countersign/core/ids';
import { maxNanos } from '@countersign/core/metering/cost';
import { dayMs } from '@countersign/core/metering/period';
import { listAll } from '../stores/object-lists.ts';
import { readUsage, type UsageRow } from '../stores/usage.ts';
import { costCentreOf } from './filter-ids.ts';
import { may } from './guard.ts';
import { needOrganization } from './needed-organization.ts';
import type { Query, QueryContext } from './run-query.ts';
import { withNames } from './usage-names.ts';

type Group = (typeof usageGroups)[number];

const defaultDays = 30;

function isGroup(text: string): text is Group {
  return usageGroups.some((group) => group === text);
}

/** Other words for a group. */
const otherWords: ReadonlyMap<string, Group> = new Map([
  ['person', 'user'],
  ['costCentre', 'costCenter'],
  ['cost_centre', 'costCenter'],
  ['cost-centre', 'costCenter'],
]);

function groupsOf(text: string): readonly Group[] {
  const words = text.split(',').map((name) => name.trim());
  const names = [...new Set(words.map((word) => otherWords.get(word) ?? word))];
  const unknown = names.find((name) => !isGroup(name));
  if (unknown === undefined) return names.filter(isGroup);
  throw new AppError(
    'invalid_request',
    `\`${unknown.slice(0, 64)}\` cannot be grouped by: choose of ${usageGroups.join(', ')}`,
  );
}

/** A call of someone in several teams counts for each of them. */
function valuesOf(row: UsageRow, group: Group): readonly (string | null)[] {
  switch (group) {
    case 'user':
      return [row.user_id];
    case 'team':
      return row.team_ids === '' ? [null] : row.team_ids.split(' ');
    case 'workspace':
      return [row.workspace_id];
    case 'costCenter':
      return [row.cost_centre];
    case 'model':
      return [row.model];
    case 'application':
      return [row.application_id];
    default:
      return [null];
  }
}

/** What the rows are narrowed to, by group. */
type Filters = { readonly [G in Group]?: string | undefined };

function isAsked(row: UsageRow, filters: Filters): boolean {
  return usageGroups.every((group) => {
    const wanted = filters[group];
    return wanted === undefined || valuesOf(row, group).includes(wanted);
  });
}

type Values = { readonly [G in Group]?: string | null };

function combinations(row: UsageRow, groups: readonly Group[], filters: Filters): readonly Values[] {
  return groups.reduce<readonly Values[]>(
    (all, group) =>
      all.flatMap((values) =>
        valuesOf(row, group)
          .filter((value) => filters[group] === undefined || filters[group] === value)
          .map((value) => ({ ...values, [group]: value })),
      ),
    [{}],
  );
}

type Sum = {
  readonly group: Values;
  requests: number;
  input: number;
  output: number;
  cached: number;
  reasoning: number;
  estimated: number;
  nanos: bigint;
};

function sumUp(rows: readonly UsageRow[], groups: readonly Group[], filters: Filters): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    for (const group of combinations(row, groups, filters)) {
      const key = JSON.stringify(Object.values(group));
      const sum = sums.get(key) ?? {
        group,
        requests: 0,
        input: 0,
        output: 0,
        cached: 0,
        reasoning: 0,
        estimated: 0,
        nanos: 0n,
      };
      sum.requests += row.requests;
      sum.input += row.input_tokens;
      sum.output += row.output_tokens;
      sum.cached += row.cached_tokens;
      sum.reasoning += row.reasoning_tokens;
      sum.estimated += row.estimated;
      sum.nanos += row.cost_nanos;
      sums.set(key, sum);
    }
  }
  return [...sums.values()].sort((a, b) => (a.nanos === b.nanos ? 0 : a.nanos < b.nanos ? 1 : -1));
}

/** Which rows the asker may see. */
function visibleUsage(ctx: QueryContext): (row: UsageRow) => boolean {
  if (may(ctx.actor, 'usage.read', 'organization')) return () => true;
  const { principalId, authority } = ctx.actor;
  const isOwn = (row: UsageRow): boolean =>
    isId('user', principalId)
      ? row.user_id === principalId
      : row.application_id === principalId && row.user_id === null;
  const readsWorkspace = may(ctx.actor, 'usage.read', authority.workspaceId);
  return (row) => isOwn(row) || (readsWorkspace && row.workspace_id === authority.workspaceId);
}

/** Who sees only their own usage reads only their own rows. */
function narrowed(ctx: QueryContext): { readonly userId?: string } {
  const { principalId, authority } = ctx.actor;
  return may(ctx.actor, 'usage.read', authority.workspaceId) || !isId('user', principalId)
    ? {}
    : { userId: principalId };
}

/**
 * The rows, each under the name of the model that ran; of one that is not ours, as the caller named it. An alias in the
 * filter is its model.
 */
async function servedBy(
  ctx: QueryContext,
  groups: readonly Group[],
  filters: Filters,
  rows: readonly UsageRow[],
): Promise<{ readonly rows: readonly UsageRow[]; readonly filters: Filters }> {
  if (!groups.includes('model') && filters.model === undefined) return { rows, filters };
  const models = await listAll(ctx.store, ctx.orgId, 'model');
  const names = new Map<string | null, string>(models.map(({ state }) => [state.id, state.name]));
  const meant = models.find(({ state }) => state.aliases.includes(filters.model ?? ''))?.state.name;
  return {
    rows: rows.map((row) => ({ ...row, model: names.get(row.model_id) ?? row.model })),
    filters: meant === undefined ? filters : { ...filters, model: meant },
  };
}

/** Usage of whole UTC days, dearest group first; `from` and `to` say which days they were. */
export const listUsage: Query<typeof usageList> = async (ctx, { query }) => {
  const groups = groupsOf(query.groupBy);
  const toMs = query.to === undefined ? ctx.nowMs : Date.parse(query.to);
  const toDay = Math.ceil(toMs / dayMs) - 1;
  const fromDay =
    query.from === undefined ? toDay - defaultDays + 1 : Math.floor(Date.parse(query.from) / dayMs);
  if (fromDay > toDay) throw new AppError('invalid_request', '`from` must come before `to`');
  const read = await readUsage(ctx.store, ctx.orgId, { fromDay, toDay, ...narrowed(ctx) });
  const asked = { ...query, costCenter: costCentreOf(query) };
  const { rows, filters } = await servedBy(ctx, groups, asked, read.filter(visibleUsage(ctx)));
  const { currency } = await needOrganization(ctx);
  const items = sumUp(
    rows.filter((row) => isAsked(row, filters)),
    groups,
    filters,
  ).map(({ nanos, ...sum }) => ({
    ...sum,
    costNanos: nanos > BigInt(maxNanos) ? maxNanos : Number(nanos),
  }));
  return {
    from: new Date(fromDay * dayMs).toISOString(),
    to: new Date((toDay + 1) * dayMs).toISOString(),
    currency,
    items: await withNames(ctx, rows, items),
  };
};
