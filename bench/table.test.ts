// Tests how the benchmark prints numbers and tables.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, number, spread, table } from './table.ts';

test('numbers keep the digits that matter', () => {
  assert.equal(number(12_345.6), '12,346');
  assert.equal(number(45.678), '45.7');
  assert.equal(number(0.3456), '0.35');
  assert.equal(number(-0.5), '-0.50');
  assert.equal(number(Number.NaN), '—');
});

test('a count has no digits behind the point', () => {
  assert.equal(count(0), '0');
  assert.equal(count(1_000_000), '1,000,000');
  assert.equal(count(974.6), '975');
});

test('a spread shows its median first, and nothing as a dash', () => {
  assert.equal(spread({ median: 0.5, min: 0.4, max: 0.75, count: 3 }), '0.50 (0.40–0.75)');
  assert.equal(spread(undefined), '—');
});

test('every row of a table is as wide as its head', () => {
  const lines = table(
    ['name', 'value'],
    [
      ['a long name', '1'],
      ['b', '1,234,567'],
    ],
  ).split('\n');
  assert.equal(lines.length, 4);
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
});
