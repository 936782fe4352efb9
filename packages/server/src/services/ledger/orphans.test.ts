// Claims about the outcome that closes an intent which a crash left open: it says and charges what was reserved.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEntryId, makeRequestId } from '@countersign/core/ids';
import { decodeEntry, encodeEntry } from '@countersign/core/ledger/entry';
import { orphanOutcome } from './orphans.ts';

const atMs = 1_763_769_600_000;
const id = makeEntryId(atMs, new Uint8Array(10).fill(7));
const own = makeEntryId(atMs, new Uint8Array(10).fill(9));
const intent = {
  v: 1,
  id,
  log: 'gw.example/org',
  ts: '2026-11-22T03:35:39.123Z',
  node: 'n1',
  boot: 'before',
  sv: 4,
  type: 'model_call',
  phase: 'intent',
  actor: { id: 'usr_1', kind: 'user', org: 'org_1', proof: 'key', cred: 'key_1' },
  req: makeRequestId(atMs, new Uint8Array(10).fill(8)),
  attempt: 2,
  target: { provider: 'fake', model: 'm' },
  policy: { decision: 'allow', version: 4, hash: 'ab'.repeat(32), rules: ['members-may-call'] },
  ctx: { labels: ['iban'] },
  content: { req_len: 12, req_c: 'cd'.repeat(32) },
} as const;
const reserved = { cost_nanos: 4_700, currency: 'USD', in: 70, out: 400, price_version: 'p1' } as const;
const made = { id: own, nowMs: atMs + 60_000, node: 'n2', boot: 'after' };

test('the outcome of a call that a crash left open counts all that was reserved, flagged as an estimate', () => {
  const decoded = decodeEntry(encodeEntry(orphanOutcome({ ...intent, reserved }, made)));
  assert.ok(decoded.ok);
  const { v, log, sv, type, actor, req, attempt, target } = intent;
  assert.deepEqual(decoded.entry, {
    ...{ v, log, sv, type, actor, req, attempt, target },
    ...{ id: own, ts: new Date(made.nowMs).toISOString(), node: 'n2', boot: 'after' },
    ...{ phase: 'outcome', intent: id, status: 'unknown', err: { code: 'orphaned' } },
    usage: { ...reserved, source: 'estimated' },
  });
});

test('where nothing was reserved nothing is charged', () => {
  const outcome = orphanOutcome(intent, made);
  assert.equal('usage' in outcome, false);
});
