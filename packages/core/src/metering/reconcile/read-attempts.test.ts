// Tests the reading of calls out of entries: what left, with which usage, and how sure that is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EntryId, makeEntryId, makeRequestId } from '../../ids.ts';
import type { CallIntent, CallOutcome } from '../../ledger/entry.ts';
import { type AttemptReader, readAttempts } from './read-attempts.ts';

const id = (n: number): EntryId => makeEntryId(n, new Uint8Array(10));
const second = (n: number): string => `2026-03-03T10:00:0${n}.000Z`;

const common = {
  v: 1,
  log: 'example.com/org',
  node: 'n',
  boot: 'b',
  sv: 1,
  type: 'model_call',
  req: makeRequestId(1, new Uint8Array(10)),
  actor: { id: 'u', kind: 'user' },
} as const;

function intent(n: number, more: Partial<CallIntent> = {}): CallIntent {
  return {
    ...common,
    id: id(n),
    ts: second(n),
    phase: 'intent',
    attempt: 1,
    target: { provider: 'p', endpoint: 'chat', model: 'alias', served: 'm' },
    policy: { decision: 'allow', version: 1, hash: '', rules: [] },
    ctx: {},
    reserved: { in: 100, out: 50, cost_nanos: 1, currency: 'USD', price_version: 'v' },
    ...more,
  };
}

function outcome(n: number, of: number, more: Partial<CallOutcome> = {}): CallOutcome {
  const target = { provider: 'p', endpoint: 'chat', model: 'alias', served: 'm-2026' };
  const base = { ...common, id: id(n), ts: second(n), attempt: 1, phase: 'outcome', target } as const;
  return { ...base, intent: id(of), status: 'ok', ...more };
}

const price = { cost_nanos: 1, currency: 'USD', price_version: 'v' } as const;
const counts = { in: 10, out: 4, cached: 3, cache_write: 2, cache_write_1h: 1, reasoning: 5, ...price };

function ended(outcomeOf: Partial<CallOutcome>) {
  const reader: AttemptReader = readAttempts();
  assert.equal(reader.take(intent(1)), undefined);
  return reader.take(outcome(2, 1, outcomeOf))?.attempt;
}

test('what the provider said is what it must have billed, with all that went in as input', () => {
  const told = ended({ usage: { ...counts, source: 'provider' } });
  const used = { requests: 1n, input: 16n, cached: 3n, cacheWrite: 3n, output: 9n };
  assert.deepEqual([told?.kind, told?.used, told?.least, told?.most], ['told', used, used, used]);
  assert.deepEqual([told?.sent, told?.served, told?.endpoint], ['m', 'm-2026', 'chat']);
  assert.deepEqual([told?.fromMs, told?.toMs], [Date.parse(second(1)), Date.parse(second(2))]);
});

test('an estimate is surely a request where the answer ended, and at most what was reserved', () => {
  const usage = { ...counts, source: 'estimated' } as const;
  const whole = ended({ usage });
  assert.equal(whole?.kind, 'estimated');
  assert.deepEqual(whole?.least, { requests: 1n, input: 0n, cached: 0n, cacheWrite: 0n, output: 0n });
  assert.deepEqual(whole?.most, { requests: 1n, input: 100n, cached: 100n, cacheWrite: 100n, output: 50n });
  assert.equal(ended({ usage, status: 'cancelled' })?.least.requests, 0n);
  assert.equal(ended({ usage: { ...usage, out: 80 } })?.most.output, 85n);
});

test('a call that the provider refused used nothing; one that a crash cut may have used all', () => {
  const refused = ended({ status: 'upstream_error', err: { code: 'upstream_status', http: 400 } });
  assert.equal(refused?.kind, 'untold');
  assert.deepEqual(refused?.most, { requests: 1n, input: 0n, cached: 0n, cacheWrite: 0n, output: 0n });
  const orphan = ended({ status: 'unknown', err: { code: 'orphaned' } });
  assert.deepEqual([orphan?.least.requests, orphan?.most.output], [0n, 50n]);
});

test('each attempt is a call, a refused one is none, and what is open at the end may have used all', () => {
  const reader = readAttempts();
  reader.take(intent(1));
  reader.take(intent(2, { status: 'denied' }));
  reader.take(intent(3));
  const first = reader.take(outcome(4, 1, { status: 'upstream_error', err: { code: 'retried', http: 503 } }));
  reader.take(intent(5, { attempt: 2 }));
  const again = reader.take(outcome(6, 5, { usage: { ...counts, source: 'provider' } }));
  assert.deepEqual([first?.attempt.kind, again?.attempt.kind], ['untold', 'told']);
  const open = reader.open();
  assert.deepEqual(
    open.map(({ attempt }) => [attempt.fromMs, attempt.toMs, attempt.most.input]),
    [[Date.parse(second(3)), Date.parse(second(6)), 100n]],
  );
  assert.equal(reader.take(outcome(7, 2)), undefined);
});
