// Claims about calls that may run several models: held in the budgets and limits of each, counted in those of what ran.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallDimensions } from '@countersign/core/metering/dimensions';
import fc from 'fast-check';
import { budgetOf, call, held, idFor, limitOf, meterWith, none, orgId, refused, use } from './samples.ts';

const models = [1, 2, 3].map((n) => idFor('model', n));
const [first = idFor('model', 1), second = idFor('model', 2), third = idFor('model', 3)] = models;
const any: CallDimensions = { ...call, modelId: first, otherModelIds: [second, third] };
const onModel = (n: number, limitNanos: number) =>
  budgetOf(n, { scope: { kind: 'model', id: idFor('model', n) }, limitNanos });

test('a budget on a model that is named as a fallback refuses the call, and nothing is held', () => {
  const { meter } = meterWith([onModel(1, 100), onModel(2, 9), budgetOf(9)]);
  assert.equal(refused(meter.reserve(orgId, any, 10, 0)).id, idFor('budget', 2));
  assert.equal(meter.reservedNanos(orgId), 0);
  assert.deepEqual(
    [use(meter, 1), use(meter, 9)],
    [
      { used: 0, reserved: 0 },
      { used: 0, reserved: 0 },
    ],
  );
});

test('a rate limit on a fallback refuses too, and gets its tokens back where another model ran', () => {
  const scope = { kind: 'model', id: second } as const;
  const { meter } = meterWith([], [limitOf(1, { scope, tokensPerMinute: 100, concurrent: 1 })]);
  const one = held(meter.reserve(orgId, any, 0, 60));
  assert.equal(refused(meter.reserve(orgId, any, 0, 1)).measure, 'concurrent');
  meter.settle(one, 0, 60, { ran: first, beside: [] });
  const room = (dims: CallDimensions) => meter.headroom(orgId, dims).tokens?.remaining;
  assert.equal(room(any), 100);
  meter.settle(held(meter.reserve(orgId, any, 0, 60)), 0, 40, { ran: second, beside: [] });
  assert.equal(room(any), 60);
  assert.equal(room({ ...call, modelId: first }), undefined);
});

test('what ran is counted under its own model alone, and under everything else that covers the call', () => {
  const { meter } = meterWith([onModel(1, 100), onModel(2, 100), onModel(3, 100), budgetOf(9)]);
  const reservation = held(meter.reserve(orgId, any, 20, 0));
  assert.deepEqual(
    [1, 2, 3, 9].map((n) => use(meter, n).reserved),
    [20, 20, 20, 20],
  );
  meter.settle(reservation, 12, 0, { ran: second, beside: [{ modelId: third, nanos: 5, tokens: 0 }] });
  assert.deepEqual(
    [1, 2, 3, 9].map((n) => use(meter, n)),
    [0, 7, 5, 12].map((used) => ({ used, reserved: 0 })),
  );
});

test('a new budget finds what ran in the call that the records lack', () => {
  const { meter } = meterWith([budgetOf(9)]);
  meter.settle(held(meter.reserve(orgId, any, 20, 0)), 12, 0, { ran: second, beside: [] });
  const missing = meter.ended(orgId).missingFrom({ projected: 0, closed: [] }, []);
  meter.load(orgId, [budgetOf(9), onModel(1, 100), onModel(2, 100)], [], none, missing);
  assert.deepEqual([use(meter, 1).used, use(meter, 2).used], [0, 12]);
});

test('whatever ran, in whatever order calls end: nothing is held when idle, and each nano is counted once', () => {
  const ending = fc.record({
    ran: fc.constantFrom(...models),
    nanos: fc.nat(50),
    isReleased: fc.boolean(),
    order: fc.nat(1_000),
  });
  fc.assert(
    fc.property(fc.array(ending, { maxLength: 50 }), (endings) => {
      const { meter } = meterWith([
        onModel(1, 1e6),
        onModel(2, 1e6),
        onModel(3, 1e6),
        budgetOf(9, { limitNanos: 1e6 }),
      ]);
      const open = endings.map((each) => ({ each, reservation: held(meter.reserve(orgId, any, 50, 10)) }));
      const counted = new Map<string, number>();
      let all = 0;
      for (const { each, reservation } of open.sort((a, b) => a.each.order - b.each.order)) {
        if (each.isReleased) meter.release(reservation);
        else {
          meter.settle(reservation, each.nanos, 10, { ran: each.ran, beside: [] });
          counted.set(each.ran, (counted.get(each.ran) ?? 0) + each.nanos);
          all += each.nanos;
        }
      }
      models.forEach((id, i) => {
        assert.deepEqual(use(meter, i + 1), { used: counted.get(id) ?? 0, reserved: 0 });
      });
      assert.deepEqual(use(meter, 9), { used: all, reserved: 0 });
      assert.equal(meter.reservedNanos(orgId), 0);
    }),
  );
});
