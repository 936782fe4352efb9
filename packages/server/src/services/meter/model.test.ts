// Owns the proof of the meter against a plain model, over any order of calls, changes and days.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Budget, RateLimit } from '@countersign/core/directory/objects';
import { type CallDimensions, covers } from '@countersign/core/metering/dimensions';
import { periodBounds } from '@countersign/core/metering/period';
import fc from 'fast-check';
import { createMeter, type Meter } from './meter.ts';
import { budgetOf, idFor, limitOf, none, orgId, start } from './samples.ts';
import type { Reservation } from './state.ts';

type ModelCall = { readonly dims: CallDimensions; readonly nanos: number; readonly atMs: number };
/** What the meter ought to hold, kept the slow and plain way: lists, and no counters of reservations. */
type Model = {
  nowMs: number;
  budgets: Budget[];
  limits: RateLimit[];
  readonly used: Map<string, number>;
  readonly open: { readonly reservation: Reservation; readonly call: ModelCall }[];
  readonly ended: Reservation[];
};
type Real = { readonly meter: Meter; readonly clock: { ms: number } };

const termKey = (budget: Budget, atMs: number): string =>
  `${budget.id}|${budget.period}|${JSON.stringify(budget.scope)}|${periodBounds(budget.period, atMs).startMs}`;

function reservedUnder(model: Model, budget: Budget): number {
  const period = periodBounds(budget.period, model.nowMs);
  return model.open
    .filter(({ call }) => covers(budget.scope, call.dims) && call.atMs >= period.startMs)
    .reduce((sum, { call }) => sum + call.nanos, 0);
}

function usedUnder(model: Model, budget: Budget): number {
  return model.used.get(termKey(budget, model.nowMs)) ?? 0;
}

class Reserve implements fc.Command<Model, Real> {
  readonly dims: CallDimensions;
  readonly nanos: number;
  constructor(dims: CallDimensions, nanos: number) {
    this.dims = dims;
    this.nanos = nanos;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, { meter }: Real): void {
    const covering = model.budgets.filter((budget) => covers(budget.scope, this.dims));
    const fits = covering.every(
      (budget) =>
        budget.action === 'warn' ||
        this.nanos === 0 ||
        usedUnder(model, budget) + reservedUnder(model, budget) + this.nanos <= budget.limitNanos,
    );
    const isFree = model.limits.every(
      ({ scope, concurrent }) =>
        !covers(scope, this.dims) ||
        concurrent === undefined ||
        model.open.filter(({ call }) => covers(scope, call.dims)).length < concurrent,
    );
    const answer = meter.reserve(orgId, this.dims, this.nanos, 0);
    assert.equal(answer.kind, fits && isFree ? 'reserved' : 'refused');
    if (answer.kind === 'reserved') {
      model.open.push({
        reservation: answer,
        call: { dims: this.dims, nanos: this.nanos, atMs: model.nowMs },
      });
    }
  }
  toString(): string {
    return `reserve(${this.nanos}, ${JSON.stringify(this.dims.teamIds)})`;
  }
}

class End implements fc.Command<Model, Real> {
  readonly pick: number;
  readonly share: number | null;
  constructor(pick: number, share: number | null) {
    this.pick = pick;
    this.share = share;
  }
  check(model: Readonly<Model>): boolean {
    return model.open.length > 0;
  }
  run(model: Model, { meter }: Real): void {
    const [ended] = model.open.splice(this.pick % model.open.length, 1);
    assert.ok(ended);
    const { reservation, call } = ended;
    const actual = this.share === null ? 0 : Math.floor((call.nanos * this.share) / 100);
    const isFirst =
      this.share === null ? meter.release(reservation) : meter.settle(reservation, actual, 0).isFirst;
    assert.equal(isFirst, true);
    model.ended.push(reservation);
    for (const budget of model.budgets) {
      if (!covers(budget.scope, call.dims)) continue;
      // A call belongs to the period in which it was reserved; if that is over nobody reads it again.
      const key = termKey(budget, call.atMs);
      if (key === termKey(budget, model.nowMs)) model.used.set(key, (model.used.get(key) ?? 0) + actual);
    }
  }
  toString(): string {
    return this.share === null ? `release(${this.pick})` : `settle(${this.pick}, ${this.share}%)`;
  }
}

class EndAgain implements fc.Command<Model, Real> {
  check(model: Readonly<Model>): boolean {
    return model.ended.length > 0;
  }
  run(model: Model, { meter }: Real): void {
    const last = model.ended.at(-1);
    assert.ok(last);
    assert.equal(meter.settle(last, 1000, 1000).isFirst, false);
  }
  toString(): string {
    return 'end again';
  }
}

class Change implements fc.Command<Model, Real> {
  readonly budgets: Budget[];
  readonly limits: RateLimit[];
  constructor(budgets: Budget[], limits: RateLimit[]) {
    this.budgets = budgets;
    this.limits = limits;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, { meter }: Real): void {
    meter.load(orgId, this.budgets, this.limits, none);
    const kept = new Set(this.budgets.map((budget) => termKey(budget, model.nowMs)));
    const before = new Set(model.budgets.map((budget) => termKey(budget, model.nowMs)));
    for (const key of model.used.keys()) if (!kept.has(key) || !before.has(key)) model.used.delete(key);
    model.budgets = this.budgets;
    model.limits = this.limits;
  }
  toString(): string {
    return `load(${JSON.stringify(this.budgets.map((b) => [b.scope.kind, b.period, b.limitNanos, b.action]))})`;
  }
}

class Wait implements fc.Command<Model, Real> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, { clock }: Real): void {
    model.nowMs += this.ms;
    clock.ms = model.nowMs;
  }
  toString(): string {
    return `wait(${this.ms})`;
  }
}

const two = fc.constantFrom(1, 2);
const scope: fc.Arbitrary<Budget['scope']> = fc.oneof(
  fc.constant({ kind: 'organization' } as const),
  two.map((n) => ({ kind: 'team', id: idFor('team', n) }) as const),
  two.map((n) => ({ kind: 'model', id: idFor('model', n) }) as const),
);
const budgets = fc
  .array(
    fc.record({
      scope,
      period: fc.constantFrom('day', 'week', 'month', 'total'),
      limitNanos: fc.integer({ min: 0, max: 150 }),
      action: fc.constantFrom('stop', 'stop', 'warn'),
    }),
    { maxLength: 4 },
  )
  .map((list) => list.map((over, n) => budgetOf(n, over)));
const limits = fc
  .array(fc.record({ scope, concurrent: fc.integer({ min: 1, max: 6 }) }), { maxLength: 2 })
  .map((list) => list.map((over, n) => limitOf(n, over)));
const dims: fc.Arbitrary<CallDimensions> = fc.record({
  principalIds: fc.constant([idFor('user', 1)]),
  teamIds: fc.subarray([idFor('team', 1), idFor('team', 2)]),
  workspaceId: fc.constant(idFor('workspace', 1)),
  modelId: two.map((n) => idFor('model', n)),
});
const pick = fc.nat({ max: 50 });
const commands = fc.commands(
  [
    fc.tuple(dims, fc.integer({ min: 0, max: 60 })).map(([d, nanos]) => new Reserve(d, nanos)),
    fc.tuple(dims, fc.integer({ min: 0, max: 60 })).map(([d, nanos]) => new Reserve(d, nanos)),
    fc.tuple(pick, fc.integer({ min: 0, max: 130 })).map(([n, share]) => new End(n, share)),
    pick.map((n) => new End(n, null)),
    fc.constant(new EndAgain()),
    fc.tuple(budgets, limits).map(([b, l]) => new Change(b, l)),
    fc.integer({ min: 0, max: 40_000_000 }).map((ms) => new Wait(ms)),
  ],
  { maxCommands: 60 },
);

test('whatever the order of calls, ends, changes and days: no stop budget is passed by a reservation, and idle holds nothing', () => {
  fc.assert(
    fc.property(commands, (list) => {
      const clock = { ms: start };
      const meter = createMeter({ now: () => clock.ms });
      const initial = [budgetOf(0, { limitNanos: 100, period: 'day' })];
      meter.load(orgId, initial, [], none);
      const model: Model = {
        nowMs: start,
        budgets: initial,
        limits: [],
        used: new Map(),
        open: [],
        ended: [],
      };
      fc.modelRun(() => ({ model, real: { meter, clock } }), list);
      for (const { budget, usedNanos, reservedNanos } of meter.budgets(orgId)) {
        assert.equal(usedNanos, usedUnder(model, budget), `used of ${budget.name}`);
        assert.equal(reservedNanos, reservedUnder(model, budget), `reserved of ${budget.name}`);
      }
      for (const { reservation } of model.open) meter.release(reservation);
      assert.equal(meter.reservedNanos(orgId), 0);
      for (const { reservedNanos } of meter.budgets(orgId)) assert.equal(reservedNanos, 0);
    }),
    { numRuns: 400 },
  );
});
