// Owns the proof of rate limits, and of what callers are told.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Headroom, pushLimitHeaders, refusalError } from '@countersign/core/metering/limit-answer';
import { budgetOf, call, held, idFor, limitOf, meterWith, orgId, refused, start } from './samples.ts';

function limitHeaders(room: Headroom): unknown {
  const flat: string[] = [];
  pushLimitHeaders(flat, room);
  return Object.fromEntries(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1]]] : [])));
}

describe('rate limits', () => {
  test('requests over the limit wait for the window, and the wait that is told is enough', () => {
    const { meter, clock } = meterWith([], [limitOf(1, { requestsPerMinute: 2 })]);
    meter.release(held(meter.reserve(orgId, call, 0, 0)));
    clock.ms += 10_000;
    meter.settle(held(meter.reserve(orgId, call, 0, 0)), 0, 0);
    const no = refused(meter.reserve(orgId, call, 0, 0));
    assert.equal(no.measure, 'requests_per_minute');
    assert.equal(no.retryAfterSeconds, 51);
    clock.ms += 50_999;
    refused(meter.reserve(orgId, call, 0, 0));
    clock.ms += 1;
    held(meter.reserve(orgId, call, 0, 0));
  });

  test('tokens are held at the worst case and corrected to what was used', () => {
    const { meter } = meterWith([], [limitOf(1, { tokensPerMinute: 100 })]);
    const one = held(meter.reserve(orgId, call, 0, 90));
    assert.equal(refused(meter.reserve(orgId, call, 0, 20)).measure, 'tokens_per_minute');
    meter.settle(one, 0, 15);
    assert.equal(meter.headroom(orgId, call).tokens?.remaining, 85);
    const never = refused(meter.reserve(orgId, call, 0, 101));
    assert.equal(never.retryAfterSeconds, undefined);
  });

  test('a clock that is set back still corrects the tokens of a call where they are held', () => {
    const { meter, clock } = meterWith([], [limitOf(1, { tokensPerMinute: 100 })]);
    held(meter.reserve(orgId, call, 0, 10));
    clock.ms -= 30_000;
    meter.settle(held(meter.reserve(orgId, call, 0, 90)), 0, 0);
    assert.equal(meter.headroom(orgId, call).tokens?.remaining, 90);
  });

  test('calls at a time are counted until they end', () => {
    const { meter } = meterWith(
      [],
      [limitOf(1, { concurrent: 2, scope: { kind: 'key', id: idFor('key', 1) } })],
    );
    const one = held(meter.reserve(orgId, call, 0, 0));
    held(meter.reserve(orgId, call, 0, 0));
    assert.equal(refused(meter.reserve(orgId, call, 0, 0)).measure, 'concurrent');
    held(meter.reserve(orgId, { ...call, keyId: idFor('key', 2) }, 0, 0));
    meter.release(one);
    held(meter.reserve(orgId, call, 0, 0));
  });
});

describe('what callers are told', () => {
  test('a refusal names the budget, its numbers and when it resets', () => {
    const { meter } = meterWith([budgetOf(1, { limitNanos: 2_000_000_000 })]);
    meter.settle(held(meter.reserve(orgId, call, 1_500_000_000, 0)), 1_500_000_000, 0);
    const no = refused(meter.reserve(orgId, call, 600_000_000, 0));
    const error = refusalError(no, start);
    assert.equal(error.code, 'budget_exceeded');
    assert.equal(error.details.subject, idFor('budget', 1));
    assert.equal(error.details.retryAfterSeconds, 8 * 86_400 + 14 * 3600);
    assert.equal(
      error.message,
      'budget `budget-1` has 1.5 USD of 2 USD spent and 0 USD reserved, and this call may cost 0.6 USD; ' +
        'it resets at 2026-12-01T00:00:00Z; ask for fewer tokens, or ask an administrator to raise it',
    );
  });

  test('a call that fits no empty budget is not told to wait', () => {
    const { meter } = meterWith([budgetOf(1)]);
    const no = refused(meter.reserve(orgId, call, 101, 0));
    assert.equal(no.retryAfterSeconds, undefined);
    assert.equal(refusalError(no, start).details.retryAfterSeconds, undefined);
  });

  test('of several refusals the one that lasts longest is told', () => {
    const { meter } = meterWith(
      [budgetOf(1), budgetOf(2, { period: 'day' })],
      [limitOf(1, { concurrent: 1 })],
    );
    held(meter.reserve(orgId, call, 100, 0));
    assert.equal(refused(meter.reserve(orgId, call, 1, 0)).id, idFor('budget', 1));
  });

  test('headers show the tightest of each kind and fall with use', () => {
    const { meter } = meterWith(
      [budgetOf(1), budgetOf(2, { limitNanos: 60 }), budgetOf(3, { limitNanos: 1, action: 'warn' })],
      [limitOf(1, { requestsPerMinute: 10, tokensPerMinute: 1000 }), limitOf(2, { requestsPerMinute: 3 })],
    );
    const headers = (): unknown => limitHeaders(meter.headroom(orgId, call));
    assert.deepEqual(headers(), {
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': '3',
      'x-ratelimit-reset-requests': '0s',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '1000',
      'x-ratelimit-reset-tokens': '0s',
      'x-countersign-budget-remaining': '60',
    });
    held(meter.reserve(orgId, call, 25, 400));
    assert.deepEqual(headers(), {
      'x-ratelimit-limit-requests': '3',
      'x-ratelimit-remaining-requests': '2',
      'x-ratelimit-reset-requests': '61s',
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '600',
      'x-ratelimit-reset-tokens': '61s',
      'x-countersign-budget-remaining': '35',
    });
  });

  test('where nothing limits a call no header is sent', () => {
    const { meter } = meterWith([]);
    assert.deepEqual(limitHeaders(meter.headroom(orgId, call)), {});
  });
});
