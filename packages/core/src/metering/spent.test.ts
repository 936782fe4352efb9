// Owns the proof that scopes, periods and thresholds count what they should and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Budget } from '../directory/objects.ts';
import { type Id, type IdKind, makeId } from '../ids.ts';
import { maxNanos } from './cost.ts';
import { applicable, type CallDimensions, covers, indexByScope } from './dimensions.ts';
import { dayMs } from './period.ts';
import { emptyWindow, take } from './rate-window.ts';
import { addNanos, allowsSpend, checkRate, crosses, warnAtNanos } from './rules.ts';
import { type SpentRow, spentByBudget } from './spent.ts';

function idFor<K extends IdKind>(kind: K, n: number): Id<K> {
  return makeId(kind, n, new Uint8Array(10));
}

const now = Date.parse('2026-11-22T10:00:00Z');
const today = Math.floor(now / dayMs);

const few = fc.integer({ min: 1, max: 3 });
const scope: fc.Arbitrary<Budget['scope']> = fc.oneof(
  fc.constant({ kind: 'organization' } as const),
  few.map((n) => ({ kind: 'person', id: idFor('user', n) }) as const),
  few.map((n) => ({ kind: 'person', id: idFor('agent', n) }) as const),
  few.map((n) => ({ kind: 'key', id: idFor('key', n) }) as const),
  few.map((n) => ({ kind: 'team', id: idFor('team', n) }) as const),
  few.map((n) => ({ kind: 'workspace', id: idFor('workspace', n) }) as const),
  few.map((n) => ({ kind: 'cost_centre', id: `cc-${n}` }) as const),
  few.map((n) => ({ kind: 'model', id: idFor('model', n) }) as const),
);
const dims: fc.Arbitrary<CallDimensions> = fc.record({
  principalIds: fc.oneof(
    few.map((n) => [idFor('user', n)]),
    fc.tuple(few, few).map(([a, b]) => [idFor('user', a), idFor('agent', b), idFor('agent', b)]),
  ),
  keyId: fc.option(
    few.map((n) => idFor('key', n)),
    { nil: undefined },
  ),
  teamIds: fc.array(
    few.map((n) => idFor('team', n)),
    { maxLength: 4 },
  ),
  workspaceId: few.map((n) => idFor('workspace', n)),
  costCentre: fc.option(
    few.map((n) => `cc-${n}`),
    { nil: undefined },
  ),
  modelId: few.map((n) => idFor('model', n)),
  otherModelIds: fc.option(
    fc.array(
      few.map((n) => idFor('model', n)),
      { maxLength: 4 },
    ),
    { nil: undefined },
  ),
});

function budgetOf(n: number, over: Partial<Budget>): Budget {
  return {
    id: idFor('budget', n),
    name: `b${n}`,
    scope: { kind: 'organization' },
    period: 'month',
    limitNanos: 100,
    warnAtPercent: 80,
    action: 'stop',
    ...over,
  };
}

const call: CallDimensions = {
  principalIds: [idFor('user', 1)],
  teamIds: [],
  workspaceId: idFor('workspace', 1),
  modelId: idFor('model', 1),
};

test('the index finds exactly the scopes that cover a call, each once', () => {
  fc.assert(
    fc.property(fc.array(scope, { maxLength: 30 }), dims, (scopes, d) => {
      const items = scopes.map((each, n) => ({ each, n }));
      const found = applicable(
        indexByScope(items, (item) => item.each),
        d,
      );
      const expected = items.filter((item) => covers(item.each, d));
      assert.deepEqual(
        found.map((item) => item.n).sort((a, b) => a - b),
        expected.map((item) => item.n),
      );
    }),
  );
});

test('only rows of the current period count, to the day', () => {
  const rows: SpentRow[] = [
    { ...call, day: today, costNanos: 1n },
    { ...call, day: today - 1, costNanos: 10n },
    { ...call, day: today - 7, costNanos: 100n },
    { ...call, day: today - 40, costNanos: 1000n },
    { ...call, day: today + 30, costNanos: 10_000n },
    // The first day of the next day, week and month: 2026-11-22 is a Sunday.
    { ...call, day: today + 1, costNanos: 100_000n },
    { ...call, day: today + 9, costNanos: 1_000_000n },
  ];
  const budgets = (['day', 'week', 'month', 'total'] as const).map((period, n) => budgetOf(n, { period }));
  const spent = spentByBudget(budgets, rows, now);
  assert.deepEqual([...spent.values()], [1, 11, 100_111, 1_111_111]);
});

test('spending beyond 2^53 nano-units stops there instead of wrapping', () => {
  const rows = [1, 2, 3].map(() => ({ ...call, day: today, costNanos: 2n ** 52n }));
  assert.equal(spentByBudget([budgetOf(1, {})], rows, now).get(idFor('budget', 1)), Number.MAX_SAFE_INTEGER);
});

test('a warn budget never refuses, a stop budget refuses what could pass it, and a free call always passes', () => {
  const count = { used: 90, reserved: 10 };
  assert.equal(allowsSpend({ action: 'stop', limitNanos: 101 }, count, 1), true);
  assert.equal(allowsSpend({ action: 'stop', limitNanos: 101 }, count, 2), false);
  assert.equal(allowsSpend({ action: 'stop', limitNanos: 10 }, count, 0), true);
  assert.equal(allowsSpend({ action: 'warn', limitNanos: 10 }, count, 1000), true);
  const most = { used: Number.MAX_SAFE_INTEGER, reserved: 10 };
  assert.equal(allowsSpend({ action: 'warn', limitNanos: 10 }, most, 1000), true);
});

test('sums of spending stop at the largest amount', () => {
  assert.deepEqual([addNanos(maxNanos - 3, 2), addNanos(maxNanos - 3, 4)], [maxNanos - 1, maxNanos]);
});

test('a call of no tokens passes a limit on tokens that others have used up', () => {
  const count = { requests: emptyWindow(), tokens: emptyWindow(), inFlight: 0 };
  take(count.tokens, 11);
  const limit = { id: idFor('rateLimit', 1), name: 'r', scope: { kind: 'organization' } } as const;
  assert.equal(checkRate({ ...limit, tokensPerMinute: 10 }, count, 0, now), null);
  assert.equal(checkRate({ ...limit, tokensPerMinute: 10 }, count, 1, now)?.measure, 'tokens_per_minute');
});

test('a period’s spending crosses its threshold in exactly one step', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 })),
      fc.integer({ min: 1, max: 100 }),
      (steps, percent) => {
        const threshold = warnAtNanos({ limitNanos: 100, warnAtPercent: percent });
        let used = 0;
        let crossed = 0;
        for (const step of steps) {
          if (crosses(threshold, used, used + step)) crossed += 1;
          used += step;
        }
        return crossed === (used >= threshold ? 1 : 0);
      },
    ),
  );
});
