// Owns what one outcome adds to the day's usage.

import { membersOf } from '@countersign/core/ledger/members';
import { parseJson } from '@countersign/core/parse-json';
import { type Actor, applicationOf, textOf, timeOf } from './entry-actor.ts';
import type { UsageRow } from './usage.ts';

const dayMs = 86_400_000;

type Used = {
  readonly in: number;
  readonly out: number;
  readonly cached?: number;
  readonly cache_write?: number;
  readonly cache_write_1h?: number;
  readonly reasoning?: number;
  readonly cost_nanos: number;
  readonly source: string;
};

function isUsed(value: unknown): value is Used {
  return typeof value === 'object' && value !== null && 'cost_nanos' in value;
}

/** The ids of a list's literal, between spaces. */
export function joinedTeams(teams: string | undefined): string {
  const ids: unknown = teams === undefined || teams === '[]' ? [] : parseJson(teams);
  return Array.isArray(ids) ? ids.join(' ') : '';
}

/** Members of an outcome, as they stand in its text. */
type Texts = { readonly [Name in 'cc' | 'target' | 'ts' | 'usage']: string | undefined };

/** The usage that one outcome of this actor adds; undefined for one that used nothing. */
export function usageRowOf(acting: Actor, texts: Texts): UsageRow | undefined {
  const { target = '{}', cc, usage } = texts;
  const used: unknown = usage === undefined ? undefined : parseJson(usage);
  if (!isUsed(used)) return undefined;
  const [model, modelId] = membersOf(target, ['model', 'resource']);
  const user = acting.kind === '"service"' ? undefined : acting.id;
  const key = acting.cred?.startsWith('"key_') === true ? acting.cred : undefined;
  const teams = joinedTeams(acting.teams);
  const application = applicationOf(acting);
  const agents = acting.act.flatMap(({ kind, id }) => (kind === 'agent' ? [id] : [])).join(' ');
  const literals = [user, key, JSON.stringify(teams), acting.ws, cc, model, modelId, application];
  return {
    day: Math.floor(timeOf(texts) / dayMs),
    dimensions: `[${literals.map((literal) => literal ?? 'null').join(',')},${JSON.stringify(agents)}]`,
    user_id: textOf(user),
    key_id: textOf(key),
    team_ids: teams,
    workspace_id: textOf(acting.ws),
    cost_centre: textOf(cc),
    model: textOf(model),
    model_id: textOf(modelId),
    application_id: textOf(application),
    requests: 1,
    estimated: used.source === 'estimated' ? 1 : 0,
    input_tokens: used.in + (used.cache_write ?? 0) + (used.cache_write_1h ?? 0),
    output_tokens: used.out,
    cached_tokens: used.cached ?? 0,
    reasoning_tokens: used.reasoning ?? 0,
    cost_nanos: BigInt(used.cost_nanos),
  };
}

/** Adds a row to those of the same day and dimensions. */
export function addUsageRow(sums: Map<string, UsageRow>, row: UsageRow): void {
  // Nearly all are of the same day: the dimensions alone are the key, until they are there with another one.
  const first = sums.get(row.dimensions);
  const key = first === undefined || first.day === row.day ? row.dimensions : `${row.day} ${row.dimensions}`;
  const sum = key === row.dimensions ? first : sums.get(key);
  if (sum === undefined) {
    sums.set(key, row);
    return;
  }
  sums.set(key, {
    ...sum,
    requests: sum.requests + row.requests,
    estimated: sum.estimated + row.estimated,
    input_tokens: sum.input_tokens + row.input_tokens,
    output_tokens: sum.output_tokens + row.output_tokens,
    cached_tokens: sum.cached_tokens + row.cached_tokens,
    reasoning_tokens: sum.reasoning_tokens + row.reasoning_tokens,
    cost_nanos: sum.cost_nanos + row.cost_nanos,
  });
}
