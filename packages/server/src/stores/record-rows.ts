// Owns how entries become records: one for each call or management entry.

import { type Entry, entrySchema } from '@countersign/core/ledger/entry';
import { membersOf, unquote } from '@countersign/core/ledger/members';
import { parseJson } from '@countersign/core/parse-json';
import { applicationOf, type KeyUse, keyUseOf, readActor, textOf, timeOf } from './entry-actor.ts';
import type { RecordRow } from './schema.ts';
import type { UsageRow } from './usage.ts';
import { usageRowOf } from './usage-rows.ts';

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

/** The labels of a class's text, between spaces; null for none. */
export function labelsOf(classText: string | undefined): string | null {
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

function outcomeOf(texts: CallTexts): Projected {
  const { actor = '{}', target = '{}', err, ms, usage } = texts;
  return {
    kind: 'outcome',
    intent: textOf(texts.intent) ?? '',
    status: textOf(texts.status) ?? '',
    outcome: objectOf({ target, usage, ms, err }),
    usage: usage === undefined ? undefined : usageRowOf(readActor(actor), texts),
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
