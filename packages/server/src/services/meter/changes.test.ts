// Owns the proof that budgets stay right over periods, changes and crashes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { spentByBudget } from '@countersign/core/metering/spent';
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

describe('periods and changes', () => {
  test('a new period starts empty, and a call that ends in it is not charged to it', () => {
    const { meter, clock } = meterWith([budgetOf(1, { period: 'day' })]);
    const yesterday = held(meter.reserve(orgId, call, 100, 0));
    clock.ms = Date.parse('2026-11-23T00:00:00Z');
    const today = held(meter.reserve(orgId, call, 100, 0));
    meter.settle(yesterday, 100, 0);
    assert.deepEqual(use(meter, 1), { used: 0, reserved: 100 });
    meter.settle(today, 1, 0);
    assert.deepEqual(use(meter, 1), { used: 1, reserved: 0 });
  });

  test('a clock that is set back does not reopen a period that is over', () => {
    const { meter, clock } = meterWith([budgetOf(1, { period: 'day' })]);
    clock.ms = Date.parse('2026-11-23T00:00:00Z');
    meter.settle(held(meter.reserve(orgId, call, 100, 0)), 100, 0);
    clock.ms = start;
    refused(meter.reserve(orgId, call, 1, 0));
  });

  test('a limit raised or lowered keeps what is spent and reserved', () => {
    const { meter } = meterWith([budgetOf(1)]);
    meter.settle(held(meter.reserve(orgId, call, 70, 0)), 70, 0);
    const running = held(meter.reserve(orgId, call, 30, 0));
    meter.load(orgId, [budgetOf(1, { limitNanos: 50 })], [], none);
    assert.deepEqual(use(meter, 1), { used: 70, reserved: 30 });
    refused(meter.reserve(orgId, call, 1, 0));
    meter.load(orgId, [budgetOf(1, { limitNanos: 200 })], [], none);
    held(meter.reserve(orgId, call, 100, 0));
    refused(meter.reserve(orgId, call, 1, 0));
    meter.settle(running, 30, 0);
    assert.deepEqual(use(meter, 1), { used: 100, reserved: 100 });
  });

  test('a deleted budget refuses no more, and calls that held it end cleanly', () => {
    const { meter } = meterWith([budgetOf(1)]);
    const running = held(meter.reserve(orgId, call, 100, 0));
    meter.load(orgId, [], [], none);
    const more = held(meter.reserve(orgId, call, 5000, 0));
    meter.settle(running, 100, 0);
    meter.settle(more, 5000, 0);
    assert.equal(meter.reservedNanos(orgId), 0);
  });

  test('a budget made while calls run counts them, and what was spent before', () => {
    const { meter } = meterWith([]);
    const running = held(meter.reserve(orgId, call, 30, 0));
    meter.load(orgId, [budgetOf(1)], [limitOf(1, { concurrent: 1 })], new Map([[idFor('budget', 1), 60]]));
    assert.deepEqual(use(meter, 1), { used: 60, reserved: 30 });
    assert.equal(refused(meter.reserve(orgId, call, 11, 0)).id, idFor('budget', 1));
    assert.equal(refused(meter.reserve(orgId, call, 10, 0)).measure, 'concurrent');
    meter.settle(running, 20, 0);
    assert.deepEqual(use(meter, 1), { used: 80, reserved: 0 });
    held(meter.reserve(orgId, call, 20, 0));
  });

  test('a budget that changes its scope and back while a call runs gives back only what it holds', () => {
    const { meter } = meterWith([budgetOf(1)]);
    const running = held(meter.reserve(orgId, call, 30, 0));
    meter.load(orgId, [budgetOf(1, { scope: { kind: 'model', id: idFor('model', 9) } })], [], none);
    meter.load(orgId, [budgetOf(1)], [], none);
    assert.deepEqual(use(meter, 1), { used: 0, reserved: 30 });
    meter.settle(running, 10, 0);
    assert.deepEqual(use(meter, 1), { used: 10, reserved: 0 });
  });

  test('a rate limit that changes its scope and back, or goes and comes, while a call runs counts that call once', () => {
    const limit = limitOf(1, { concurrent: 2 });
    const elsewhere = limitOf(1, { concurrent: 2, scope: { kind: 'model', id: idFor('model', 9) } });
    for (const meanwhile of [[elsewhere], []]) {
      const { meter } = meterWith([], [limit]);
      const running = held(meter.reserve(orgId, call, 0, 0));
      meter.load(orgId, [], meanwhile, none);
      meter.load(orgId, [], [limit], none);
      const second = held(meter.reserve(orgId, call, 0, 0));
      assert.equal(refused(meter.reserve(orgId, call, 0, 0)).measure, 'concurrent');
      meter.release(running);
      meter.release(second);
      held(meter.reserve(orgId, call, 0, 0));
      held(meter.reserve(orgId, call, 0, 0));
      refused(meter.reserve(orgId, call, 0, 0));
    }
  });

  test('loading says which budgets are past their threshold, each time that this is news', () => {
    const { meter } = meterWith([]);
    const spent = new Map([[idFor('budget', 1), 85]]);
    assert.equal(meter.load(orgId, [budgetOf(1)], [], spent)[0]?.usedNanos, 85);
    assert.deepEqual(meter.load(orgId, [budgetOf(1)], [], spent), []);
    assert.deepEqual(meter.load(orgId, [budgetOf(1, { limitNanos: 1000 })], [], spent), []);
    assert.equal(meter.load(orgId, [budgetOf(1, { limitNanos: 90 })], [], spent).length, 1);
  });

  test('after a crash, calls without an outcome count at their worst case', () => {
    const budgets = [budgetOf(1)];
    const day = Math.floor(start / 86_400_000);
    const rows = [
      { ...call, day, costNanos: 30n },
      // The intent of a call that never got an outcome: its reservation.
      { ...call, day, costNanos: 60n },
    ];
    const meter = createMeter({ now: () => start });
    meter.load(orgId, budgets, [], spentByBudget(budgets, rows, start));
    assert.equal(refused(meter.reserve(orgId, call, 11, 0)).used, 90);
    held(meter.reserve(orgId, call, 10, 0));
  });

  test('an organization is not forgotten while calls of it run', () => {
    const { meter } = meterWith([budgetOf(1)]);
    const running = held(meter.reserve(orgId, call, 30, 0));
    assert.equal(meter.unload(orgId), false);
    meter.release(running);
    assert.equal(meter.unload(orgId), true);
    assert.throws(() => meter.reserve(orgId, call, 1, 0), { code: 'overloaded' });
  });
});
