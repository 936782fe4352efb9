// Tests that an entry is read back unchanged, and that nothing but an entry is read.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeEntryId, makeRequestId } from '../ids.ts';
import { canonicalJson } from './canonical.ts';
import { decodeEntry, type Entry, encodeEntry, entryTypes, maxEntryBytes } from './entry.ts';
import {
  actorKinds,
  alertKinds,
  decisions,
  phases,
  proofKinds,
  statuses,
  usageSources,
} from './entry-fields.ts';

const id = makeEntryId(1_763_769_600_000, new Uint8Array(10).fill(7));
const req = makeRequestId(1_763_769_600_000, new Uint8Array(10).fill(8));
const hash = 'ab'.repeat(32);
const system = { id: 'system', kind: 'system' } as const;
const base = {
  v: 1,
  id,
  log: 'gw.example/org',
  ts: '2026-11-22T03:35:39.123Z',
  node: 'n1',
  boot: 'b1',
  sv: 4,
} as const;
const policy = { decision: 'allow', version: 4, hash, rules: ['members-may-call'] } as const;
const call = {
  ...base,
  actor: { id: 'usr_1', kind: 'user', org: 'org_1', proof: 'key', cred: 'key_1' },
  req,
  attempt: 1,
  target: { provider: 'sandbox', model: 'echo' },
} as const;

const samples: readonly Entry[] = [
  { ...call, type: 'model_call', phase: 'intent', policy, ctx: { labels: ['iban'], claimed: { tags: [] } } },
  { ...call, type: 'model_call', phase: 'outcome', intent: id, status: 'ok', ms: { total: 12 } },
  { ...call, type: 'tool_call', phase: 'intent', policy, ctx: {}, status: 'denied' },
  { ...call, type: 'tool_call', phase: 'outcome', intent: id, status: 'unknown', err: { code: 'orphaned' } },
  {
    ...base,
    type: 'management',
    actor: system,
    req,
    op: 'policy.publish',
    status: 'ok',
    change: [
      { kind: 'policy', id: 'org_1', state: { version: 4, hash } },
      { kind: 'key', id: 'key_1', state: null },
    ],
    policy_text: 'permit(principal, action, resource);',
  },
  { ...base, type: 'content_read', actor: system, req, status: 'ok', record: id, reason: 'audit 12' },
  {
    ...base,
    type: 'erasure',
    actor: system,
    req,
    status: 'ok',
    subject: 'usr_2',
    reason: 'art. 17',
    approvers: ['usr_3'],
  },
  { ...base, type: 'content_read', actor: system, req, status: 'denied', record: req },
  { ...base, type: 'erasure', actor: system, req, status: 'refused', subject: 'usr_2' },
  {
    ...base,
    type: 'alert',
    actor: system,
    alert: { kind: 'budget_warning', budget: 'bud_1', limit_nanos: 10, used_nanos: 8, percent: 80 },
  },
  {
    ...base,
    type: 'refused_credentials',
    actor: system,
    refused: {
      from: base.ts,
      to: base.ts,
      total: 3,
      sources: [{ source: 'c1', reason: 'unknown_key', count: 3 }],
    },
  },
  { ...base, type: 'checkpoint', actor: system, target: { resource: 'gw.example/org' }, checkpoint: 'note' },
  { ...base, type: 'log_opened', actor: system, opened: { origin: 'gw.example/org', vkey: 'k' } },
];

test('an entry of every type comes back from its text unchanged', () => {
  assert.deepEqual(new Set(samples.map(({ type }) => type)), new Set(entryTypes));
  for (const entry of samples) assert.deepEqual(decodeEntry(encodeEntry(entry)), { ok: true, entry });
});

test('what was done names all of it: a reading its reason and the entry, an erasure its reason and approvers', () => {
  const read = { ...base, type: 'content_read', actor: system, req, record: id } as const;
  const erased = { ...base, type: 'erasure', actor: system, req, subject: 'usr_2' } as const;
  for (const entry of [
    read,
    { ...read, reason: 'audit 12', record: req },
    { ...erased, reason: 'art. 17' },
    { ...erased, approvers: ['usr_3'] },
  ]) {
    assert.throws(() => encodeEntry({ ...entry, status: 'ok' }), { code: 'internal' });
    const refused = { ...entry, status: 'refused' } as const;
    assert.deepEqual(decodeEntry(encodeEntry(refused)), { ok: true, entry: refused });
  }
});

test('text that is not exactly what would be written is refused', () => {
  const text = encodeEntry(samples[0] ?? assert.fail());
  for (const changed of [
    ` ${text}`,
    `${text}\n`,
    text.replace('"v":1', '"v":1,"v":1'),
    text.replace('"v":1', '"v":2'),
    text.replace('"v":1', '"v":1.0'),
    text.replace('"sv":4', '"sv":-4'),
    text.replace('"sv":4', '"sv":4,"sw":4'),
    text.replace('"sv":4,', ''),
    text.replace('"kind":"user"', '"kind":"person"'),
    text.replace('"decision":"allow"', '"decision":"maybe"'),
    text.replace('"labels":["iban"]', '"labels":[0.5]'),
    text.replace('T03:35:39.123Z', 'T03:35:39Z'),
    text.replace('"type":"model_call"', '"type":"sweep"'),
    text.replace('"sandbox"', '"\\u0073andbox"'),
    text.slice(0, -1),
    '[]',
    'null',
    '',
  ]) {
    assert.notEqual(changed, text);
    assert.equal(decodeEntry(changed).ok, false, changed);
  }
});

test('an outcome cannot say denied, and an intent cannot say ok', () => {
  const text = encodeEntry(samples[1] ?? assert.fail());
  assert.equal(decodeEntry(text.replace('"status":"ok"', '"status":"denied"')).ok, false);
  const denied = encodeEntry(samples[2] ?? assert.fail());
  assert.equal(decodeEntry(denied.replace('"status":"denied"', '"status":"ok"')).ok, false);
});

test('an entry beyond its limit is refused, counted in bytes', () => {
  const withTag = (tag: string): Entry => ({
    ...call,
    type: 'model_call',
    phase: 'intent',
    policy,
    ctx: { tag },
  });
  const overhead = Buffer.byteLength(encodeEntry(withTag('')));
  assert.equal(Buffer.byteLength(encodeEntry(withTag('x'.repeat(maxEntryBytes - overhead)))), maxEntryBytes);
  const code = 'payload_too_large';
  assert.throws(() => encodeEntry(withTag('x'.repeat(maxEntryBytes - overhead + 1))), { code });
  const wide = withTag('é'.repeat(maxEntryBytes / 2));
  assert.throws(() => encodeEntry(wide), { code });
  assert.deepEqual(decodeEntry(canonicalJson(wide)), { ok: false, reason: 'the entry is too long' });
});

test('a fraction in a decision input is a fault of ours, not a record', () => {
  assert.throws(
    () => encodeEntry({ ...call, type: 'model_call', phase: 'intent', policy, ctx: { ratio: 0.5 } }),
    RangeError,
  );
});

test('the reference names every value of every enumeration', () => {
  const reference = readFileSync(new URL('../../../../docs/reference/ledger.md', import.meta.url), 'utf8');
  const lists = [entryTypes, phases, statuses, decisions, usageSources, proofKinds, actorKinds, alertKinds];
  for (const value of lists.flat()) assert.ok(reference.includes(`\`${value}\``), value);
});

test('an entry is read back whatever names were in one before (nodejs/node#63785)', () => {
  const tagged = (name: string): Entry => ({
    ...call,
    type: 'model_call',
    phase: 'intent',
    policy,
    ctx: {},
    tags: { '!': 'a', [name]: 'b' },
  });
  for (let i = 0; i < 3; i += 1)
    for (const name of ['\\', '"', '\n', 'm\\n', 'm\n1']) {
      const entry = tagged(name);
      assert.deepEqual(decodeEntry(encodeEntry(entry)), { ok: true, entry });
    }
});
