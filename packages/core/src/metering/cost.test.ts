// Owns the proof that costs are exact, complete and within their bound.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { worstCase, worstCaseTokens } from './bound.ts';
import { cost, fullPrice, type ModelPrice, maxNanos, priceAt } from './cost.ts';
import { inputTokens, noUsage, outputTokens, type TokenUsage, totalTokens } from './usage.ts';

const tokens = fc.integer({ min: 0, max: 2_000_000 });
const usage: fc.Arbitrary<TokenUsage> = fc.record({
  input: tokens,
  cachedInput: tokens,
  cacheWrite5m: tokens,
  cacheWrite1h: tokens,
  audioInput: tokens,
  output: tokens,
  reasoning: tokens,
  audioOutput: tokens,
});
const picos = fc.integer({ min: 0, max: 700_000_000 });
const flat = fc.record(
  {
    input: picos,
    output: picos,
    cachedInput: picos,
    cacheWrite: picos,
    cacheWrite1h: picos,
    audioInput: picos,
    audioOutput: picos,
    reasoning: picos,
  },
  { requiredKeys: ['input', 'output'] },
);
const price: fc.Arbitrary<ModelPrice> = fc.oneof(
  flat,
  fc
    .tuple(
      flat,
      fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), flat), {
        maxLength: 3,
        selector: ([at]) => at,
      }),
    )
    .map(([base, tiers]) => ({
      ...base,
      tiers: tiers.sort(([a], [b]) => a - b).map(([overInput, each]) => ({ overInput, price: each })),
    })),
);

const buckets = [
  'input',
  'cachedInput',
  'cacheWrite5m',
  'cacheWrite1h',
  'audioInput',
  'output',
  'reasoning',
  'audioOutput',
] as const;

/** The same sum in big integers only. */
function exactCost(p: ModelPrice, u: TokenUsage): bigint {
  const each = fullPrice(priceAt(p, inputTokens(u)));
  let sum = 0n;
  for (const bucket of buckets) sum += BigInt(u[bucket]) * BigInt(each[bucket]);
  return (sum + 999n) / 1000n;
}

test('a call costs its tokens times their prices', () => {
  const gpt = { input: 2_500_000, output: 10_000_000 };
  assert.equal(cost(gpt, { ...noUsage, input: 1000, output: 100 }), 3_500_000);
});

test('a cost is rounded up to a whole nano-unit, once for the call', () => {
  const cheap = { input: 1, output: 1 };
  assert.equal(cost(cheap, { ...noUsage, input: 1 }), 1);
  assert.equal(cost(cheap, { ...noUsage, input: 1, output: 1 }), 1);
  assert.equal(cost(cheap, { ...noUsage, input: 1000 }), 1);
  assert.equal(cost(cheap, { ...noUsage, input: 1001 }), 2);
});

test('nothing used costs nothing', () => {
  assert.equal(cost({ input: 5, output: 5 }, noUsage), 0);
});

test('a cost equals the exact sum, beyond 2^53 pico-units too', () => {
  fc.assert(fc.property(price, usage, (p, u) => BigInt(cost(p, u)) === exactCost(p, u)));
});

test('a cost beyond 2^53 pico-units is rounded up as a small one is', () => {
  const input = 2 ** 50;
  for (const [output, nanos] of [
    [0, 9007199254741],
    [7, 9007199254741],
    [8, 9007199254741],
    [9, 9007199254742],
  ] as const)
    assert.equal(cost({ input: 8, output: 1 }, { ...noUsage, input, output }), nanos, String(output));
});

test('a cost that no number can hold stops at the largest amount', () => {
  const huge = { input: Number.MAX_SAFE_INTEGER, output: 0 };
  assert.equal(cost(huge, { ...noUsage, input: Number.MAX_SAFE_INTEGER }), maxNanos);
});

test('a negative, broken or infinite count is refused', () => {
  for (const input of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => cost({ input: 1, output: 1 }, { ...noUsage, input }), RangeError);
  }
});

test('a bucket without a price falls back on a dearer one, never on nothing', () => {
  assert.deepEqual(fullPrice({ input: 1001, output: 4000 }), {
    input: 1001,
    cachedInput: 1001,
    cacheWrite5m: 1252,
    cacheWrite1h: 2002,
    audioInput: 1001,
    output: 4000,
    reasoning: 4000,
    audioOutput: 4000,
  });
  assert.equal(fullPrice({ input: 10, output: 1, cacheWrite: 25 }).cacheWrite1h, 25);
});

test('a cached token is charged once, at the cached price (litellm #11364, #11789)', () => {
  const each = { input: 3000, output: 15_000, cachedInput: 300 };
  assert.equal(cost(each, { ...noUsage, input: 10, cachedInput: 90 }), 57);
});

test('a stream and a whole answer with the same usage cost the same, tier and cache included (litellm #9812)', () => {
  const tiered = {
    input: 3000,
    output: 15_000,
    tiers: [{ overInput: 100, price: { input: 6000, output: 22_500 } }],
  };
  assert.equal(cost(tiered, { ...noUsage, input: 100, output: 1 }), 315);
  // Cached tokens count towards the tier: all 101 tokens and the output cost the upper price.
  assert.equal(cost(tiered, { ...noUsage, input: 100, cachedInput: 1, output: 1 }), 629);
});

test('no call within its bound costs more than was reserved for it', () => {
  fc.assert(
    fc.property(price, usage, fc.integer({ min: 1, max: 8 }), (p, u, choices) => {
      const bound = {
        input: inputTokens(u),
        output: Math.ceil(outputTokens(u) / choices),
        choices,
      };
      return cost(p, u) <= worstCase(p, bound) && totalTokens(u) <= worstCaseTokens(bound);
    }),
  );
});

test('a dearer tier is reserved from the first token at which it may be billed', () => {
  const dearer = { input: 6000, cacheWrite: 6000, cacheWrite1h: 6000, output: 0 };
  const tiered = {
    ...{ input: 3000, cacheWrite: 3000, cacheWrite1h: 3000, output: 0 },
    tiers: [{ overInput: 100, price: dearer }],
  };
  const reserved = (input: number) => worstCase(tiered, { input, output: 0, choices: 1 });
  assert.deepEqual([reserved(100), reserved(101)], [300, 606]);
});

test('several choices reserve several outputs and one input', () => {
  const each = { input: 1000, output: 2000, cacheWrite: 1000, cacheWrite1h: 1000 };
  assert.equal(worstCase(each, { input: 10, output: 5, choices: 3 }), 10 + 30);
});

test('every bucket that a call can use has a price', () => {
  assert.deepEqual(Object.keys(noUsage).sort(), [...buckets].sort());
});
