// Owns how a row of the projection is shown: the contract's view of a call or a management entry.

import type { recordView } from '@countersign/contract/evidence-operations';
import { AppError } from '@countersign/core/errors';
import { actor, alert, failure, milliseconds, target, usage } from '@countersign/core/ledger/entry-fields';
import { parseJson } from '@countersign/core/parse-json';
import { z } from 'zod';
import { placeOf } from '../../stores/log-places.ts';
import type { RecordRow } from '../../stores/schema.ts';

/** What `stores/record-rows.ts` writes into `records.detail`, as far as it is shown. */
const detailSchema = z.object({
  actor,
  target: target.optional(),
  policy: z
    .object({ version: z.number().int(), rules: z.array(z.string()), reason: z.string().optional() })
    .optional(),
  cc: z.string().optional(),
  err: failure.optional(),
  alert: alert.optional(),
});
const outcomeSchema = z.object({
  target: target.optional(),
  usage: usage.optional(),
  ms: milliseconds.optional(),
  err: failure.optional(),
});

export type RecordView = z.infer<typeof recordView>;
type Detail = z.infer<typeof detailSchema>;
type Outcome = z.infer<typeof outcomeSchema>;
type Alert = z.infer<typeof alert>;

function read<T>(schema: z.ZodType<T>, text: string, id: string): T {
  const value: unknown = parseJson(text);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('internal', `the projection of record \`${id}\` cannot be read: rebuild it`, {
    cause: parsed.error,
  });
}

function usageView(used: Outcome['usage']): RecordView['usage'] {
  if (used === undefined) return undefined;
  return {
    // As `usage_daily` counts: what was written to a cache went in.
    input: used.in + (used.cache_write ?? 0) + (used.cache_write_1h ?? 0),
    output: used.out,
    cached: used.cached ?? 0,
    reasoning: used.reasoning ?? 0,
    costNanos: used.cost_nanos,
    currency: used.currency,
    source: used.source,
  };
}

type NameOf = (id: string) => string | undefined;

function actorView(row: RecordRow, acted: Detail['actor'], nameOf: NameOf): RecordView['actor'] {
  const { application_id: application } = row;
  const agents = (acted.act ?? []).filter(({ kind }) => kind === 'agent').map(({ id }) => id);
  return {
    id: acted.id,
    kind: acted.kind,
    // A person's name: a service has its own as an application, so that nobody takes it for a person.
    name: acted.kind === 'service' ? undefined : nameOf(row.actor_id),
    agents,
    application: application ?? undefined,
    applicationName: application === null ? undefined : nameOf(application),
    proof: acted.proof,
    credential: acted.cred,
  };
}

/** What an alert is about: a budget, a model or the log. */
function aboutOf(alerted: Alert): string {
  if (alerted.kind === 'log_altered') return alerted.origin;
  return alerted.kind === 'unknown_price' ? alerted.model : alerted.budget;
}

/** The id that a row is an alert about; undefined for a row that is none. */
export function alertedIdOf(row: RecordRow): string | undefined {
  if (row.type !== 'alert') return undefined;
  const { alert: alerted } = read(detailSchema, row.detail, row.id);
  return alerted === undefined ? undefined : aboutOf(alerted);
}

function alertView(alerted: Alert | undefined, nameOf: NameOf): RecordView['alert'] {
  if (alerted === undefined) return undefined;
  const about = aboutOf(alerted);
  const common = { kind: alerted.kind, about, aboutName: nameOf(about) };
  if (alerted.kind === 'unknown_price') return common;
  if (alerted.kind === 'log_altered')
    return { ...common, finding: alerted.finding, entryIndex: alerted.index };
  const { limit_nanos: limitNanos, used_nanos: usedNanos, percent } = alerted;
  return { ...common, limitNanos, usedNanos, percent };
}

/**
 * The view of a row. `nameOf` gives a person's name where the asker may see it, a service's, and that of what an alert is about. Throws `internal` for a row
 * that the projector did not write.
 */
export function recordViewOf(row: RecordRow, nameOf: NameOf): RecordView {
  const detail = read(detailSchema, row.detail, row.id);
  const outcome = row.outcome === null ? undefined : read(outcomeSchema, row.outcome, row.id);
  return {
    id: row.id,
    requestId: row.request_id ?? undefined,
    index: placeOf(row.entry_index).place,
    outcomeIndex: row.outcome_index === null ? undefined : placeOf(row.outcome_index).place,
    at: new Date(row.at).toISOString(),
    type: row.type,
    actor: actorView(row, detail.actor, nameOf),
    workspaceId: row.workspace_id ?? undefined,
    teams: detail.actor.teams ?? [],
    costCentre: detail.cc,
    endpoint: detail.target?.endpoint,
    provider: outcome?.target?.provider ?? detail.target?.provider,
    model: row.model ?? undefined,
    decision: row.decision ?? undefined,
    policyVersion: detail.policy?.version,
    rules: detail.policy?.rules ?? [],
    labels: row.labels === null ? [] : row.labels.trim().split(' '),
    status: row.status ?? undefined,
    error: outcome?.err?.code ?? detail.err?.code ?? detail.policy?.reason,
    usage: usageView(outcome?.usage),
    totalMs: outcome?.ms?.total,
    // Rows of before had no event for an alert.
    event: row.event ?? detail.alert?.kind,
    alert: alertView(detail.alert, nameOf),
  };
}
