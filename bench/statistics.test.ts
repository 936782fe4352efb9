// Tests the benchmark's arithmetic.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { median, pairwise, quantile, ratios, slope, spreadOf } from './statistics.ts';

test('the median is the middle, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('numbers are ordered as numbers, not as text', () => {
  assert.equal(median([9, 10, 100]), 10);
  assert.equal(quantile([9, 10, 100], 0.99), 100);
});

test('a quantile is one of the values and never falls as the rank grows', () => {
  const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
  fc.assert(
    fc.property(numbers, fc.double({ min: 0, max: 1, noNaN: true }), (values, p) => {
      assert.ok(values.includes(quantile(values, p)));
      assert.ok(quantile(values, p) >= quantile(values, 0));
      assert.ok(quantile(values, p) <= quantile(values, 1));
    }),
  );
});

test('a spread counts only rounds that have a number', () => {
  assert.deepEqual(spreadOf([2, Number.NaN, 4, 3]), { median: 3, min: 2, max: 4, count: 3 });
  assert.equal(spreadOf([]), undefined);
  assert.equal(spreadOf([Number.POSITIVE_INFINITY]), undefined);
});

test('only numbers of the same round meet', () => {
  assert.deepEqual(ratios([10, undefined, 30], [20, 20, 20]), [0.5, 1.5]);
  assert.deepEqual(
    pairwise([1, 2], [undefined, 5], (a, b) => b - a),
    [3],
  );
});

test('the slope of a line is found, whatever its height', () => {
  fc.assert(
    fc.property(fc.integer({ min: -100, max: 100 }), fc.integer({ min: -1000, max: 1000 }), (m, b) => {
      const points = [0, 1, 2, 5, 9].map((x) => ({ x, y: m * x + b }));
      assert.ok(Math.abs(slope(points) - m) < 1e-9);
    }),
  );
});

test('no line has the slope 0', () => {
  assert.equal(slope([]), 0);
  assert.equal(slope([{ x: 1, y: 5 }]), 0);
  assert.equal(
    slope([
      { x: 1, y: 5 },
      { x: 1, y: 9 },
    ]),
    0,
  );
});
