// Owns one entry of every type, and of every word that an enumeration has, for tests of what entries are copied to.

import { makeEntryId, makeRequestId } from '../../ids.ts';
import { decodeEntry, type Entry, encodeEntry } from '../entry.ts';
import { actorKinds, decisions, proofKinds, usageSources } from '../entry-fields.ts';
import type { CopiedEntry } from './copied-entry.ts';

const id = makeEntryId(1_763_769_600_000, new Uint8Array(10).fill(7));
const req = makeRequestId(1_763_769_600_000, new Uint8Array(10).fill(8));
const hash = 'ab'.repeat(32);
const system = { id: 'system', kind: 'system' } as const;
const base = {
  v: 1,
  id,
  log: 'gw.example/org_1',
  ts: '2026-11-22T03:35:39.123Z',
  node: 'n1',
  boot: 'b1',
  sv: 4,
} as const;
const actor = {
  id: 'usr_1',
  kind: 'user',
  org: 'org_1',
  teams: ['tea_1'],
  proof: 'key',
  cred: 'key_1',
} as const;
const policy = { decision: 'allow', version: 4, hash, rules: ['members-may-call'] } as const;
const target = {
  provider: 'sandbox',
  model: 'echo',
  endpoint: 'chat',
  route: '/v1/chat/completions',
  resource: 'mod_1',
} as const;
const call = { ...base, actor, req, attempt: 1, target, content: { client: id } } as const;
const intent = { ...call, type: 'model_call', phase: 'intent', policy, ctx: { labels: ['iban'] } } as const;
const outcome = {
  ...call,
  type: 'model_call',
  phase: 'outcome',
  intent: id,
  target: { ...target, served: 'echo-1' },
  trace: '0af7651916cd43dd8448eb211c80319c',
} as const;
const usage = {
  in: 10,
  cached: 5,
  cache_write: 2,
  out: 7,
  reasoning: 3,
  cost_nanos: 1_500,
  currency: 'EUR',
  price_version: '3',
  source: 'provider',
} as const;
const management = { ...base, actor, type: 'management', req, op: 'key.create', status: 'ok' } as const;
const alert = { ...base, type: 'alert', actor: system } as const;
const budget = { budget: 'bud_1', limit_nanos: 10, used_nanos: 8, percent: 80 } as const;

const calls: readonly Entry[] = [
  intent,
  { ...intent, type: 'tool_call', target: { tool: 'search' }, ctx: {} },
  ...(['denied', 'refused'] as const).map((status) => ({ ...intent, status })),
  ...decisions.map((decision) => ({ ...intent, policy: { ...policy, decision } })),
  ...actorKinds.map((kind) => ({ ...intent, actor: { ...actor, kind } })),
  ...proofKinds.map((proof) => ({ ...intent, actor: { ...actor, proof } })),
  { ...outcome, status: 'ok', usage, ms: { total: 12 } },
  ...usageSources.map((source) => ({ ...outcome, status: 'ok' as const, usage: { ...usage, source } })),
  ...(['upstream_error', 'failed', 'cancelled', 'cut', 'unknown'] as const).map((status) => ({
    ...outcome,
    status,
    err: { code: 'orphaned', http: 502 },
  })),
  { ...outcome, type: 'tool_call', target: { tool: 'search' }, status: 'ok' },
];

const operations: readonly Entry[] = [
  ...(['ok', 'denied', 'refused', 'failed'] as const).map((status) => ({ ...management, status })),
  { ...management, change: [{ kind: 'key', id: 'key_1', state: { name: 'ci' } }] },
  { ...management, op: 'user.create', change: [{ kind: 'user', id: 'usr_2', state: { id: 'usr_2' } }] },
  { ...management, op: 'user.erase', target: { resource: 'usr_2' }, reason: 'art. 17', approvers: ['usr_1'] },
  { ...management, op: 'team.remove', change: [{ kind: 'team', id: 'tea_1', state: null }] },
  {
    ...management,
    op: 'policy.publish',
    change: [{ kind: 'policy', id: 'org_1', state: { version: 4, hash } }],
    policy_text: 'permit(principal, action, resource);',
  },
  { ...base, type: 'content_read', actor, req, status: 'ok', record: id, reason: 'audit 12' },
  { ...base, type: 'content_read', actor, req, status: 'denied', record: req },
  {
    ...base,
    type: 'erasure',
    actor,
    req,
    status: 'ok',
    subject: 'usr_2',
    reason: 'art. 17',
    approvers: ['usr_3', 'usr_1'],
  },
  { ...base, type: 'erasure', actor, req, status: 'refused', subject: 'usr_2', err: { code: 'legal_hold' } },
];

/** The first of each type comes first; all are entries that version 1 accepts. */
export const sampleEntries: readonly Entry[] = [
  ...calls,
  ...operations,
  { ...alert, alert: { kind: 'budget_warning', ...budget } },
  { ...alert, alert: { kind: 'budget_exhausted', ...budget, percent: 100 } },
  { ...alert, alert: { kind: 'unknown_price', model: 'new-model' } },
  { ...alert, alert: { kind: 'log_altered', origin: base.log, finding: 'entry_altered', index: 3 } },
  {
    ...base,
    type: 'refused_credentials',
    actor: { id: 'anonymous', kind: 'anonymous' },
    refused: {
      from: '2026-11-22T03:35:38.000Z',
      to: base.ts,
      total: 3,
      sources: [{ source: 'c1', reason: 'unknown_key', count: 3 }],
    },
  },
  {
    ...base,
    type: 'checkpoint',
    actor: system,
    target: { resource: 'gw.example/org_1' },
    checkpoint: 'gw.example/org_1\n3\nroot\n',
  },
  { ...base, type: 'log_opened', actor: system, opened: { origin: 'gw.example/org_1', vkey: 'k' } },
];

/** An entry as it is handed to a format: read from its text. Place and leaf hash are made up. */
export function copied(entry: Entry, index = 4): CopiedEntry {
  const text = encodeEntry(entry);
  const decoded = decodeEntry(text);
  if (!decoded.ok) throw new TypeError(decoded.reason);
  return { entry: decoded.entry, text, index, leaf: 'cd'.repeat(32) };
}
