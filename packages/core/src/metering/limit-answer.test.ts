// Owns the proof of what callers are told when a limit refuses them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeId } from '../ids.ts';
import { moneyText, pushLimitHeaders, refusalError, retryAfterSeconds } from './limit-answer.ts';
import type { LimitRefusal } from './rules.ts';

const now = Date.parse('2026-11-22T10:00:00Z');
const limit: LimitRefusal = {
  code: 'rate_limited',
  id: makeId('rateLimit', 1, new Uint8Array(10)),
  name: 'team-a',
  measure: 'tokens_per_minute',
  limit: 100,
  used: 90,
  reserved: 0,
  wanted: 20,
  resetsAtMs: now + 1500,
};

test('money is shown exactly, without needless zeros', () => {
  assert.deepEqual([0, 1, 1_500_000_000, 12_000_000_000, -1].map(moneyText), [
    '0 USD',
    '0.000000001 USD',
    '1.5 USD',
    '12 USD',
    '-0.000000001 USD',
  ]);
});

test('a caller is told to wait whole seconds, rounded up, and at least one', () => {
  assert.equal(retryAfterSeconds(limit, now), 2);
  assert.equal(retryAfterSeconds({ ...limit, resetsAtMs: now }, now), 1);
  assert.equal(retryAfterSeconds({ ...limit, resetsAtMs: null }, now), undefined);
});

test('each measure says its own numbers and what to do', () => {
  const text = (over: Partial<LimitRefusal>): string => refusalError({ ...limit, ...over }, now).message;
  assert.equal(
    text({}),
    'rate limit `team-a` allows 100 tokens a minute, 90 are taken, and this call may use 20; try again in 2 s',
  );
  assert.equal(
    text({ measure: 'requests_per_minute', used: 100, wanted: 1 }),
    'rate limit `team-a` allows 100 requests a minute, and 100 were made; try again in 2 s',
  );
  assert.equal(
    text({ measure: 'concurrent', reserved: 100, wanted: 1 }),
    'rate limit `team-a` allows 100 calls at a time, and 100 are running; try again in 2 s',
  );
  assert.match(
    text({ wanted: 101, resetsAtMs: null }),
    /; ask for fewer tokens, or ask an administrator to raise it$/,
  );
});

test('what is left is never told as less than nothing, of a limit that was lowered below what is taken', () => {
  const rate = { limit: 10, remaining: -5, resetMs: 1500 };
  const budget = { id: 'b', name: 'b', limitNanos: 10, remainingNanos: -7, resetsAtMs: null };
  const flat: string[] = [];
  pushLimitHeaders(flat, { budget, requests: rate, tokens: { ...rate, remaining: 3 } });
  assert.deepEqual(flat, [
    ...['x-ratelimit-limit-requests', '10', 'x-ratelimit-remaining-requests', '0'],
    ...['x-ratelimit-reset-requests', '2s', 'x-ratelimit-limit-tokens', '10'],
    ...['x-ratelimit-remaining-tokens', '3', 'x-ratelimit-reset-tokens', '2s'],
    ...['x-countersign-budget-remaining', '0'],
  ]);
});
