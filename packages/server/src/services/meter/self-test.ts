// Owns the proof at start-up that the limiter refuses: a limiter that is written and never asked protects nothing.

import type { Budget } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { makeId } from '@countersign/core/ids';
import type { CallDimensions } from '@countersign/core/metering/dimensions';
import type { Meter } from './meter.ts';

/**
 * Gives a throw-away organization a budget of one nano-unit and makes two calls of one each through the very meter that
 * the gateway uses. Throws `internal` unless the first is let through, the second is refused by that budget, the money is
 * back after the first is released, and nothing is left behind. To be called before the server listens (litellm #27381).
 */
export function selfTest(
  meter: Pick<Meter, 'load' | 'unload' | 'reserve' | 'release' | 'reservedNanos'>,
): void {
  const nothing = new Uint8Array(10);
  const orgId = makeId('org', 0, nothing);
  const budget: Budget = {
    id: makeId('budget', 0, nothing),
    name: 'self-test',
    scope: { kind: 'organization' },
    period: 'total',
    limitNanos: 1,
    warnAtPercent: 100,
    action: 'stop',
  };
  const dims: CallDimensions = {
    principalIds: [],
    teamIds: [],
    workspaceId: makeId('workspace', 0, nothing),
    modelId: makeId('model', 0, nothing),
  };
  meter.load(orgId, [budget], [], new Map());
  const first = meter.reserve(orgId, dims, 1, 0);
  if (first.kind !== 'reserved') throw failure('refused a call within its budget');
  const second = meter.reserve(orgId, dims, 1, 0);
  if (second.kind !== 'refused') throw failure('let a call pass its budget');
  if (second.id !== budget.id) throw failure('named another budget than the one that refused');
  if (!meter.release(first)) throw failure('did not know its own reservation');
  const third = meter.reserve(orgId, dims, 1, 0);
  if (third.kind !== 'reserved') throw failure('kept what was released');
  meter.release(third);
  if (meter.reservedNanos(orgId) !== 0 || !meter.unload(orgId)) throw failure('held something when idle');
}

function failure(what: string): AppError {
  return new AppError('internal', `the meter's self-test failed: it ${what}; do not serve with it`);
}
