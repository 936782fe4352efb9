// Owns the measurement of the meter on the hot path: run it with node, read the medians.

import type { Budget, RateLimit } from '@countersign/core/directory/objects';
import { worstCase } from '@countersign/core/metering/bound';
import { cost } from '@countersign/core/metering/cost';
import { findPrice } from '@countersign/core/metering/price-table';
import { priceTable } from '@countersign/core/metering/price-table.generated';
import { noUsage } from '@countersign/core/metering/usage';
import { createMeter } from './meter.ts';
import { budgetOf, call, idFor, limitOf, none, orgId, start } from './samples.ts';

const huge = Number.MAX_SAFE_INTEGER;
const scopes: readonly Budget['scope'][] = [
  { kind: 'organization' },
  { kind: 'team', id: idFor('team', 1) },
  { kind: 'key', id: idFor('key', 1) },
];

function budgets(total: number): Budget[] {
  return Array.from({ length: total }, (_, n) => {
    const scope = scopes[n] ?? ({ kind: 'person', id: idFor('user', n + 10) } as const);
    return budgetOf(n, { scope, limitNanos: huge });
  });
}

const limits: readonly RateLimit[] = [
  limitOf(1, { requestsPerMinute: huge, tokensPerMinute: huge }),
  limitOf(2, { concurrent: 1_000_000, scope: { kind: 'key', id: idFor('key', 1) } }),
];

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Median microseconds of one `step`, over rounds of `count` steps, after two rounds to warm up. */
function measure(count: number, step: (i: number) => void): number {
  const rounds: number[] = [];
  for (let round = 0; round < 13; round += 1) {
    const from = process.hrtime.bigint();
    for (let i = 0; i < count; i += 1) step(i);
    if (round > 1) rounds.push(Number(process.hrtime.bigint() - from) / 1000 / count);
  }
  return median(rounds);
}

function report(name: string, micros: number): void {
  console.log(`${name.padEnd(58)} ${micros.toFixed(3)} us`);
}

for (const total of [3, 10_000]) {
  let ms = start;
  const meter = createMeter({ now: () => ms });
  const list = budgets(total);
  const label = `${total} budgets (3 apply), 2 rate limits:`;
  report(
    `${label} load`,
    measure(total > 100 ? 5 : 500, () => meter.load(orgId, list, limits, none)),
  );
  report(
    `${label} reserve + settle`,
    measure(100_000, (i) => {
      if (i % 20 === 0) ms += 1;
      const answer = meter.reserve(orgId, call, 1000, 500);
      if (answer.kind === 'reserved') meter.settle(answer, 400, 200);
    }),
  );
  const running = Array.from({ length: 1000 }, () => meter.reserve(orgId, call, 1, 1));
  report(
    `${label} the same with 1000 calls on their way`,
    measure(100_000, (i) => {
      if (i % 20 === 0) ms += 1;
      const answer = meter.reserve(orgId, call, 1000, 500);
      if (answer.kind === 'reserved') meter.settle(answer, 400, 200);
    }),
  );
  for (const answer of running) if (answer.kind === 'reserved') meter.release(answer);
  report(
    `${label} headroom`,
    measure(100_000, () => void meter.headroom(orgId, call)),
  );
}

const bare = createMeter({ now: () => start });
bare.load(orgId, [budgetOf(1, { limitNanos: 0 })], [], none);
report(
  '1 budget: refusal',
  measure(100_000, () => void bare.reserve(orgId, call, 1, 1)),
);

const price = findPrice(priceTable, 'openai', 'gpt-6-sol')?.price ?? { input: 1, output: 1 };
const usage = { ...noUsage, input: 1200, output: 300, cachedInput: 800, reasoning: 100 };
report(
  'cost of a call with tiers',
  measure(100_000, () => void cost(price, usage)),
);
report(
  'worst case of a call with tiers',
  measure(100_000, () => void worstCase(price, { input: 2000, output: 4096, choices: 1 })),
);
report(
  'lookup of the last model of the table',
  measure(5000, () => void findPrice(priceTable, 'openai', 'none-such')),
);
