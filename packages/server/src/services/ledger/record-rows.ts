// Owns how entries become rows: one for each call or management entry, and the day's usage.

import type { CallIntent, CallOutcome, Entry } from '@countersign/core/ledger/entry';
import type { RecordRow } from '../../stores/records.ts';
import type { UsageRow } from '../../stores/usage.ts';

const dayMs = 86_400_000;

/** An entry at its place in the log. */
export type Placed = { readonly index: number; readonly entry: Entry };

type Acted = Pick<Entry, 'actor'>;

/** The service through which a person's call came, or the service that called by itself. */
export function applicationOf({ actor }: Acted): string | null {
  if (actor.kind === 'service') return actor.id;
  return actor.act?.find(({ kind }) => kind === 'service')?.id ?? null;
}

function isIntent(entry: Entry): entry is CallIntent {
  return 'phase' in entry && entry.phase === 'intent';
}

/** True for the entry that closes a call. */
export function isOutcome(entry: Entry): entry is CallOutcome {
  return 'phase' in entry && entry.phase === 'outcome';
}

function labelsColumn(labels: readonly string[] | undefined): string | null {
  return labels === undefined || labels.length === 0 ? null : ` ${labels.join(' ')} `;
}

function intentRow(index: number, entry: CallIntent): RecordRow {
  return {
    entry_index: index,
    outcome_index: null,
    id: entry.id,
    request_id: entry.req,
    at: Date.parse(entry.ts),
    type: entry.type,
    event: null,
    actor_id: entry.actor.id,
    workspace_id: entry.actor.ws ?? null,
    application_id: applicationOf(entry),
    model: entry.target.model ?? null,
    decision: entry.policy.decision,
    labels: labelsColumn(entry.class?.labels),
    status: entry.status ?? null,
    boot: entry.boot,
    detail: JSON.stringify({
      actor: entry.actor,
      target: entry.target,
      policy: { version: entry.policy.version, rules: entry.policy.rules, reason: entry.policy.reason },
      cc: entry.cc,
      err: entry.err,
      reserved: entry.reserved,
      attempt: entry.attempt,
    }),
    outcome: null,
  };
}

/** What `records.outcome` holds of an outcome. */
export function outcomeColumn(entry: CallOutcome): string {
  return JSON.stringify({ target: entry.target, usage: entry.usage, ms: entry.ms, err: entry.err });
}

function plainRow(index: number, entry: Exclude<Entry, CallIntent | CallOutcome>): RecordRow {
  const isManagement = entry.type === 'management';
  return {
    entry_index: index,
    outcome_index: null,
    id: entry.id,
    request_id: 'req' in entry ? entry.req : null,
    at: Date.parse(entry.ts),
    type: entry.type,
    event: isManagement ? entry.op : null,
    actor_id: entry.actor.id,
    workspace_id: entry.actor.ws ?? null,
    application_id: applicationOf(entry),
    model: null,
    decision: 'policy' in entry ? (entry.policy?.decision ?? null) : null,
    labels: null,
    status: 'status' in entry ? entry.status : 'ok',
    boot: entry.boot,
    detail: JSON.stringify({
      actor: entry.actor,
      change: isManagement ? entry.change?.map(({ kind, id }) => `${kind} ${id}`) : undefined,
      alert: entry.type === 'alert' ? entry.alert : undefined,
      refused: entry.type === 'refused_credentials' ? entry.refused : undefined,
    }),
    outcome: null,
  };
}

/** The row of an entry that opens one; undefined for an outcome, which completes another's. */
export function rowOf({ index, entry }: Placed): RecordRow | undefined {
  if (isOutcome(entry)) return undefined;
  return isIntent(entry) ? intentRow(index, entry) : plainRow(index, entry);
}

/** The usage that one outcome adds, or undefined if nothing was used. */
export function usageOf(entry: CallOutcome): UsageRow | undefined {
  const { usage, actor, target } = entry;
  if (usage === undefined) return undefined;
  const keyId = actor.cred?.startsWith('key_') === true ? actor.cred : null;
  const row = {
    user_id: actor.kind === 'service' ? null : actor.id,
    key_id: keyId,
    team_ids: actor.teams === undefined ? '' : actor.teams.join(' '),
    workspace_id: actor.ws ?? null,
    cost_centre: entry.cc ?? null,
    model: target.model ?? null,
    model_id: target.resource ?? null,
    application_id: applicationOf(entry),
  };
  const agents = actor.act?.filter(({ kind }) => kind === 'agent').map(({ id }) => id) ?? [];
  return {
    day: Math.floor(Date.parse(entry.ts) / dayMs),
    dimensions: JSON.stringify([...Object.values(row), agents.join(' ')]),
    ...row,
    requests: 1,
    estimated: usage.source === 'estimated' ? 1 : 0,
    input_tokens: usage.in + (usage.cache_write ?? 0) + (usage.cache_write_1h ?? 0),
    output_tokens: usage.out,
    cached_tokens: usage.cached ?? 0,
    reasoning_tokens: usage.reasoning ?? 0,
    cost_nanos: BigInt(usage.cost_nanos),
  };
}

/** Adds a row to those of the same day and dimensions. */
export function addUsageRow(sums: Map<string, UsageRow>, row: UsageRow): void {
  const key = `${row.day} ${row.dimensions}`;
  const sum = sums.get(key);
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
