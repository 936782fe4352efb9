// Owns the sample budgets, limits and calls that the meter's tests and benchmark share.

import assert from 'node:assert/strict';
import type { Budget, RateLimit } from '@countersign/core/directory/objects';
import { type Id, type IdKind, makeId } from '@countersign/core/ids';
import type { CallDimensions } from '@countersign/core/metering/dimensions';
import { createMeter, type Meter, type Refusal } from './meter.ts';
import type { Reservation } from './state.ts';

export function idFor<K extends IdKind>(kind: K, n: number): Id<K> {
  return makeId(kind, n, new Uint8Array(10));
}

export const orgId = idFor('org', 1);
export const start = Date.parse('2026-11-22T10:00:00Z');
/** Nothing spent. */
export const none: ReadonlyMap<Id<'budget'>, number> = new Map();

export const call: CallDimensions = {
  principalIds: [idFor('user', 1)],
  keyId: idFor('key', 1),
  teamIds: [idFor('team', 1)],
  workspaceId: idFor('workspace', 1),
  modelId: idFor('model', 1),
};

export function budgetOf(n: number, over: Partial<Budget> = {}): Budget {
  return {
    id: idFor('budget', n),
    name: `budget-${n}`,
    scope: { kind: 'organization' },
    period: 'month',
    limitNanos: 100,
    warnAtPercent: 80,
    action: 'stop',
    ...over,
  };
}

export function limitOf(n: number, over: Partial<RateLimit>): RateLimit {
  return { id: idFor('rateLimit', n), name: `limit-${n}`, scope: { kind: 'organization' }, ...over };
}

/** A meter with these in force for `orgId`, and the clock that it reads. */
export function meterWith(budgets: readonly Budget[], limits: readonly RateLimit[] = []) {
  const clock = { ms: start };
  const meter = createMeter({ now: () => clock.ms });
  meter.load(orgId, budgets, limits, none);
  return { meter, clock };
}

export function held(answer: Reservation | Refusal): Reservation {
  assert.equal(answer.kind, 'reserved');
  if (answer.kind !== 'reserved') throw new Error('refused');
  return answer;
}

export function refused(answer: Reservation | Refusal): Refusal {
  assert.equal(answer.kind, 'refused');
  if (answer.kind !== 'refused') throw new Error('not refused');
  return answer;
}

export function use(meter: Meter, n: number): { readonly used: number; readonly reserved: number } {
  const found = meter.budgets(orgId).find(({ budget }) => budget.id === idFor('budget', n));
  assert.ok(found);
  return { used: found.usedNanos, reserved: found.reservedNanos };
}
