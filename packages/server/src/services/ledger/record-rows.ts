// Owns how entries become rows: one for each call or management entry, and the day's usage.

import { type Entry, entrySchema } from '@countersign/core/ledger/entry';
import { membersOf, unquote } from '@countersign/core/ledger/members';
import { parseJson } from '@countersign/core/parse-json';
import type { RecordRow } from '../../stores/records.ts';
import type { UsageRow } from '../../stores/usage.ts';

const dayMs = 86_400_000;

/** What an entry leaves in the projection. */
export type Projected =
  /** A row of its own, without a status where an outcome is to come. */
  | {
      readonly kind: 'row';
      readonly row: RecordRow;
      readonly use: KeyUse | undefined;
    }
  | {
      readonly kind: 'outcome';
      readonly intent: string;
      readonly status: string;
      readonly outcome: string;
      readonly usage: UsageRow | undefined;
    };

/** A key and when it was used, in milliseconds since 1970. */
export type KeyUse = { readonly keyId: string; readonly atMs: number };

type Acting = { readonly id: string; readonly kind: string };

/** What rows need of an actor, from its canonical text: everything but `act` as literals. */
type Actor = {
  readonly act: readonly Acting[];
  readonly cred: string | undefined;
  readonly id: string;
  readonly kind: string | undefined;
  readonly teams: string | undefined;
  readonly ws: string | undefined;
};

const actorMembers = ['act', 'cred', 'id', 'kind', 'teams', 'ws'];

// INVARIANT: everything here reads our own committed bytes, which were held to the schema when they were written.
function isActing(value: unknown): value is readonly Acting[] {
  return Array.isArray(value);
}

function readActs(text: string | undefined): readonly Acting[] {
  const value: unknown = text === undefined ? [] : parseJson(text);
  return isActing(value) ? value : [];
}

function readActor(text: string): Actor {
  const [act, cred, id, kind, teams, ws] = membersOf(text, actorMembers);
  return { act: readActs(act), cred, id: id ?? '""', kind, teams, ws };
}

const textOf = (literal: string | undefined): string | null =>
  literal === undefined ? null : unquote(literal);

function timeOf({ ts }: { readonly ts: string | undefined }): number {
  return Date.parse(textOf(ts) ?? '');
}

/** The service through which a person's call came, or the service that called by itself: as a literal. */
function applicationOf({ kind, id, act }: Actor): string | undefined {
  if (kind === '"service"') return id;
  const service = act.find((acting) => acting.kind === 'service');
  return service === undefined ? undefined : JSON.stringify(service.id);
}

/** The key of a credential that is one. A string of its own: it is kept, and a piece of a text would keep all of that. */
function keyUseOf({ cred }: Actor, atMs: number): KeyUse | undefined {
  if (cred?.startsWith('"key_') !== true) return undefined;
  const keyId: unknown = parseJson(cred);
  return typeof keyId === 'string' ? { keyId, atMs } : undefined;
}

function labelsOf(classText: string | undefined): string | null {
  if (classText === undefined) return null;
  const [labels] = membersOf(classText, ['labels']);
  if (labels === undefined || labels === '[]') return null;
  const names: unknown = parseJson(labels);
  return Array.isArray(names) ? ` ${names.join(' ')} ` : null;
}

/** An object of rendered members; those that are undefined are left out. */
function objectOf(members: { readonly [name: string]: string | undefined }): string {
  let text = '';
  for (const name in members) {
    const member = members[name];
    if (member !== undefined) text += `${text === '' ? '{' : ','}"${name}":${member}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

const callMembers = [
  ...['actor', 'attempt', 'boot', 'cc', 'class', 'err', 'id', 'intent', 'ms', 'phase', 'policy', 'req'],
  ...['reserved', 'status', 'target', 'ts', 'type', 'usage'],
] as const;

/** The members of a call's entry that rows are made of: their canonical texts. */
type CallTexts = { readonly [Name in (typeof callMembers)[number]]: string | undefined };

function readCall(text: string): CallTexts {
  const [actor, attempt, boot, cc, classText, err, id, intent, ms, phase, policy, req, ...rest] = membersOf(
    text,
    callMembers,
  );
  const [reserved, status, target, ts, type, usage] = rest;
  const first = { actor, attempt, boot, cc, class: classText, err, id, intent, ms, phase, policy, req };
  return { ...first, reserved, status, target, ts, type, usage };
}

const policyMembers = ['decision', 'reason', 'rules', 'version'];

function intentRow(index: number, texts: CallTexts): Projected {
  const { actor = '{}', target = '{}', policy = '{}', status, cc, err, reserved, attempt } = texts;
  const acting = readActor(actor);
  const atMs = timeOf(texts);
  const [decision, reason, rules, version] = membersOf(policy, policyMembers);
  const [model] = membersOf(target, ['model']);
  const row = {
    entry_index: index,
    outcome_index: null,
    id: textOf(texts.id) ?? '',
    request_id: textOf(texts.req),
    at: atMs,
    type: textOf(texts.type) ?? '',
    event: null,
    actor_id: unquote(acting.id),
    workspace_id: textOf(acting.ws),
    application_id: textOf(applicationOf(acting)),
    model: textOf(model),
    decision: textOf(decision),
    labels: labelsOf(texts.class),
    status: textOf(status),
    boot: textOf(texts.boot),
    detail: objectOf({
      actor,
      target,
      policy: objectOf({ version, rules, reason }),
      cc,
      err,
      reserved,
      attempt,
    }),
    outcome: null,
  };
  return { kind: 'row', row, use: keyUseOf(acting, atMs) };
}

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

function joinedTeams(teams: string | undefined): string {
  const ids: unknown = teams === undefined || teams === '[]' ? [] : parseJson(teams);
  return Array.isArray(ids) ? ids.join(' ') : '';
}

/** The usage that one outcome adds. */
function usageOf(used: Used, acting: Actor, target: string, day: number, cc: string | undefined): UsageRow {
  const [model, modelId] = membersOf(target, ['model', 'resource']);
  const user = acting.kind === '"service"' ? undefined : acting.id;
  const key = acting.cred?.startsWith('"key_') === true ? acting.cred : undefined;
  const teams = joinedTeams(acting.teams);
  const application = applicationOf(acting);
  const agents = acting.act.flatMap(({ kind, id }) => (kind === 'agent' ? [id] : [])).join(' ');
  const literals = [user, key, JSON.stringify(teams), acting.ws, cc, model, modelId, application];
  return {
    day,
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

function outcomeOf(texts: CallTexts): Projected {
  const { actor = '{}', target = '{}', cc, err, ms, usage } = texts;
  const used: unknown = usage === undefined ? undefined : parseJson(usage);
  const day = Math.floor(timeOf(texts) / dayMs);
  return {
    kind: 'outcome',
    intent: textOf(texts.intent) ?? '',
    status: textOf(texts.status) ?? '',
    outcome: objectOf({ target, usage, ms, err }),
    usage: isUsed(used) ? usageOf(used, readActor(actor), target, day, cc) : undefined,
  };
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 1 && 'type' in value;
}

function parseEntry(text: string): Entry {
  const value: unknown = parseJson(text);
  return isEntry(value) ? value : entrySchema.parse(value);
}

/** The operation of what somebody did or reached for, by the name that its denial has too; the kind of an alert. */
function eventOf(entry: Entry): string | null {
  if (entry.type === 'management') return entry.op;
  if (entry.type === 'content_read') return 'record.content';
  if (entry.type === 'erasure') return 'user.erase';
  return entry.type === 'alert' ? entry.alert.kind : null;
}

/** The row of an entry that is no call. */
function plainRow(index: number, text: string): Projected {
  const entry = parseEntry(text);
  const [actor = '{}'] = membersOf(text, ['actor']);
  const acting = readActor(actor);
  const isManagement = entry.type === 'management';
  const alert = entry.type === 'alert' ? entry.alert : undefined;
  const atMs = Date.parse(entry.ts);
  const row = {
    entry_index: index,
    outcome_index: null,
    id: entry.id,
    request_id: 'req' in entry ? entry.req : null,
    at: atMs,
    type: entry.type,
    event: eventOf(entry),
    actor_id: entry.actor.id,
    workspace_id: entry.actor.ws ?? null,
    application_id: textOf(applicationOf(acting)),
    model: null,
    decision: 'policy' in entry ? (entry.policy?.decision ?? null) : null,
    labels: null,
    status: 'status' in entry ? (entry.status ?? 'ok') : 'ok',
    boot: entry.boot,
    detail: JSON.stringify({
      actor: entry.actor,
      change: isManagement ? entry.change?.map(({ kind, id }) => `${kind} ${id}`) : undefined,
      alert,
      refused: entry.type === 'refused_credentials' ? entry.refused : undefined,
    }),
    outcome: null,
  };
  return { kind: 'row', row, use: keyUseOf(acting, atMs) };
}

/** What the entry at this place leaves. `text` is canonical, as the log has it. */
export function projectEntry(index: number, text: string): Projected {
  const texts = readCall(text);
  if (texts.phase === undefined) return plainRow(index, text);
  return texts.phase === '"outcome"' ? outcomeOf(texts) : intentRow(index, texts);
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
