// Tests how rounds are judged.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadResult } from './load-result.ts';
import type { Round } from './results.ts';
import { rotated } from './rounds.ts';
import { addedMs, judge, judgeRounds, judgeScale } from './targets.ts';

const nothing: LoadResult = {
  n: 0,
  total: 0,
  requestsPerSecond: 0,
  errors: 0,
  notOk: 0,
  lastBad: 0,
  unsent: 0,
  unfinished: 0,
  p50: 0,
  p95: 0,
  p99: 0,
  firstByteP50: 0,
  firstByteP99: 0,
  eventsPerSecond: 0,
};

function round(
  scenario: string,
  servers: Readonly<Record<string, Partial<LoadResult>>>,
  durableMs = 0.5,
): Round {
  const samples = Object.fromEntries(
    Object.entries(servers).map(([name, load]) => [name, { load: { ...nothing, ...load } }]),
  );
  return { durable: { medianMs: durableMs, p99Ms: 1 }, samples: { [scenario]: samples } };
}

const of = (id: string, rounds: readonly Round[]) =>
  judgeRounds({ rounds }).find(({ target }) => target.id === id);

test('the ratio is taken within each round, and its median is judged', () => {
  const rounds = [
    round('c64', { on: { requestsPerSecond: 10 }, bare: { requestsPerSecond: 20 } }),
    round('c64', { on: { requestsPerSecond: 100 }, bare: { requestsPerSecond: 1000 } }),
    round('c64', { on: { requestsPerSecond: 4 }, bare: { requestsPerSecond: 10 } }),
  ];
  const verdict = of('on-64', rounds);
  assert.deepEqual(verdict?.value, { median: 0.4, min: 0.1, max: 0.5, count: 3 });
  assert.equal(verdict?.verdict, 'pass');
});

test('what was not measured neither passes nor misses', () => {
  assert.equal(of('peer-64', [round('c64', { on: { requestsPerSecond: 10 } })])?.verdict, 'not measured');
});

test('a limit from above is missed when the median is greater', () => {
  const target = { id: 'x', text: 'x', unit: 'ms', limit: 10, better: 'less' } as const;
  assert.equal(judge(target, [9, 11, 12]).verdict, 'miss');
  assert.equal(judge(target, [9, 10, 12]).verdict, 'pass');
});

test("what one connection may add follows from the same round's durable commits", () => {
  const slowDisk = round('c1', { on: { p50: 5_500 }, bare: { p50: 100 } }, 2.6);
  const fastDisk = round('c1', { on: { p50: 5_500 }, bare: { p50: 100 } }, 0.5);
  assert.deepEqual(addedMs([fastDisk], 'on'), [5.4]);
  assert.equal(of('added-1', [slowDisk])?.verdict, 'pass');
  assert.equal(of('added-1', [fastDisk])?.verdict, 'miss');
});

test('scale compares ratios to the bare proxy, not requests', () => {
  const rounds = [
    round('c64', {
      small: { requestsPerSecond: 100 },
      large: { requestsPerSecond: 80 },
      bare: { requestsPerSecond: 200 },
    }),
  ];
  const [verdict] = judgeScale(rounds, [{ title: 't', small: 'small', large: 'large' }]);
  assert.ok(Math.abs((verdict?.value?.median ?? 0) - 20) < 1e-9);
  assert.equal(verdict?.verdict, 'miss');
});

test('each round begins with another server and none is lost', () => {
  assert.deepEqual(rotated(['a', 'b', 'c'], 1), ['b', 'c', 'a']);
  assert.deepEqual(rotated(['a', 'b', 'c'], 3), ['a', 'b', 'c']);
  assert.deepEqual(rotated([], 2), []);
});
