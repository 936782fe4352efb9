// Owns the proof that calls cannot race past a budget and that no hold leaks.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createMeter } from './meter.ts';
import {
  budgetOf,
  call,
  held,
  idFor,
  limitOf,
  meterWith,
  none,
  orgId,
  refused,
  start,
  use,
} from './samples.ts';
import { createInProcessCounters } from './shared-counters.ts';

describe('reserving', () => {
  test('500 parallel calls for the last unit let exactly one through and overspend nothing', async () => {
    const { meter } = meterWith([budgetOf(1, { limitNanos: 1000 })]);
    held(meter.reserve(orgId, call, 990, 0));
    const answers = await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        if (i % 3 === 0) await turn();
        const answer = meter.reserve(orgId, call, 10, 0);
        await turn();
        if (answer.kind === 'reserved') meter.settle(answer, 10, 0);
        return answer.kind;
      }),
    );
    assert.equal(answers.filter((kind) => kind === 'reserved').length, 1);
    assert.deepEqual(use(meter, 1), { used: 10, reserved: 990 });
  });

  test('three meters over one set of counters share the last unit (litellm #33325)', async () => {
    const counters = createInProcessCounters();
    const meters = [1, 2, 3].map(() => createMeter({ now: () => start, counters }));
    for (const meter of meters) meter.load(orgId, [budgetOf(1, { limitNanos: 10 })], [], none);
    const answers = await Promise.all(
      Array.from({ length: 500 }, async (_, i) => {
        await turn();
        return meters[i % 3]?.reserve(orgId, call, 10, 0).kind;
      }),
    );
    assert.equal(answers.filter((kind) => kind === 'reserved').length, 1);
    assert.deepEqual(
      meters.map((meter) => use(meter, 1)),
      meters.map(() => ({ used: 0, reserved: 10 })),
    );
  });

  test('8 first requests at once cannot each see an empty counter (litellm #40095)', async () => {
    const { meter } = meterWith([budgetOf(1, { limitNanos: 1 })]);
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const answer = meter.reserve(orgId, call, 264_000, 0);
        await turn();
        return answer.kind;
      }),
    );
    assert.deepEqual(new Set(answers), new Set(['refused']));
    assert.equal(meter.reservedNanos(orgId), 0);
  });

  test('one refusal among many budgets and limits leaves all of them untouched', () => {
    const { meter } = meterWith(
      [budgetOf(1), budgetOf(2, { scope: { kind: 'team', id: idFor('team', 1) } })],
      [
        limitOf(1, { requestsPerMinute: 10, tokensPerMinute: 100, concurrent: 5 }),
        limitOf(2, { concurrent: 1 }),
      ],
    );
    const first = held(meter.reserve(orgId, call, 10, 10));
    const before = { room: meter.headroom(orgId, call), one: use(meter, 1), two: use(meter, 2) };
    assert.equal(refused(meter.reserve(orgId, call, 10, 10)).id, idFor('rateLimit', 2));
    assert.deepEqual({ room: meter.headroom(orgId, call), one: use(meter, 1), two: use(meter, 2) }, before);
    meter.settle(first, 10, 10);
    held(meter.reserve(orgId, call, 10, 10));
  });

  test('an organization that is not loaded is refused, never let through', () => {
    const { meter } = meterWith([]);
    assert.throws(() => meter.reserve(idFor('org', 2), call, 1, 1), { code: 'overloaded' });
  });

  test('a worst case that is not a whole number is refused', () => {
    const { meter } = meterWith([budgetOf(1)]);
    for (const bad of [Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY]) {
      assert.throws(() => meter.reserve(orgId, call, bad, 0), RangeError);
      assert.throws(() => meter.reserve(orgId, call, 0, bad), RangeError);
    }
  });

  test('a team named twice in a call is charged once', () => {
    const { meter } = meterWith([budgetOf(1, { scope: { kind: 'team', id: idFor('team', 1) } })]);
    const twice = { ...call, teamIds: [idFor('team', 1), idFor('team', 1)] };
    held(meter.reserve(orgId, twice, 40, 0));
    assert.deepEqual(use(meter, 1), { used: 0, reserved: 40 });
  });

  test('one organization’s spending does not touch another’s', () => {
    const { meter } = meterWith([budgetOf(1, { limitNanos: 10 })]);
    const other = idFor('org', 2);
    meter.load(other, [budgetOf(2, { limitNanos: 10 })], [], none);
    held(meter.reserve(orgId, call, 10, 0));
    held(meter.reserve(other, call, 10, 0));
    assert.equal(refused(meter.reserve(other, call, 1, 0)).id, idFor('budget', 2));
  });
});

describe('settling', () => {
  test('the second end of a reservation does nothing, whatever it is', () => {
    const { meter } = meterWith([budgetOf(1)]);
    const one = held(meter.reserve(orgId, call, 50, 0));
    assert.equal(meter.settle(one, 20, 0).isFirst, true);
    assert.equal(meter.settle(one, 20, 0).isFirst, false);
    assert.equal(meter.release(one), false);
    assert.deepEqual(use(meter, 1), { used: 20, reserved: 0 });
  });

  test('when nothing runs nothing is reserved: no false refusals from leaked holds (litellm PR#36592)', () => {
    const { meter } = meterWith([budgetOf(1)], [limitOf(1, { concurrent: 2 })]);
    for (let i = 0; i < 1000; i += 1) {
      const one = held(meter.reserve(orgId, call, 100, 0));
      if (i % 2 === 0) meter.release(one);
      else meter.settle(one, 0, 0);
    }
    assert.equal(meter.reservedNanos(orgId), 0);
    assert.deepEqual(use(meter, 1), { used: 0, reserved: 0 });
    assert.deepEqual(meter.olderThan(-1), []);
  });

  test('an aborted call is charged what it used, not nothing (litellm #14457)', () => {
    const { meter } = meterWith([budgetOf(1)]);
    meter.settle(held(meter.reserve(orgId, call, 60, 0)), 37, 0);
    assert.deepEqual(use(meter, 1), { used: 37, reserved: 0 });
  });

  test('a cost that cannot be told is charged as reserved, and the hold still ends', () => {
    const { meter } = meterWith([budgetOf(1)]);
    const settled = meter.settle(held(meter.reserve(orgId, call, 60, 0)), Number.NaN, Number.NaN);
    assert.equal(settled.chargedNanos, 60);
    assert.deepEqual(use(meter, 1), { used: 60, reserved: 0 });
  });

  test('a call that cost more than reserved is charged in full and says by how much', () => {
    const { meter } = meterWith([budgetOf(1)]);
    assert.equal(meter.settle(held(meter.reserve(orgId, call, 90, 0)), 130, 0).overrunNanos, 40);
    assert.equal(refused(meter.reserve(orgId, call, 1, 0)).used, 130);
  });

  test('a budget alerts once in a period, and again in the next', () => {
    const { meter, clock } = meterWith([budgetOf(1, { action: 'warn' })]);
    const spend = (nanos: number): number =>
      meter.settle(held(meter.reserve(orgId, call, nanos, 0)), nanos, 0).alerts.length;
    assert.deepEqual([spend(79), spend(1), spend(500), spend(1)], [0, 1, 0, 0]);
    clock.ms = Date.parse('2026-12-01T00:00:00Z');
    assert.deepEqual([spend(80), spend(80)], [1, 0]);
  });

  test('a reservation held for long is reported and keeps its hold', () => {
    const { meter, clock } = meterWith([budgetOf(1)]);
    const one = held(meter.reserve(orgId, call, 60, 0));
    clock.ms += 3_600_000;
    assert.deepEqual(
      meter.olderThan(600_000).map((old) => [old.nanos, old.ageMs]),
      [[60, 3_600_000]],
    );
    assert.deepEqual(use(meter, 1), { used: 0, reserved: 60 });
    assert.equal(meter.settle(one, 5, 0).isFirst, true);
    assert.deepEqual(meter.olderThan(0), []);
  });
});
