// Claims about the equality of values: sets of sets, and what comparing them costs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExtension } from './extensions.ts';
import { areEqual, type RuntimeValue } from './values.ts';

/** A set in a set, so many times; at the bottom are these. */
function nested(levels: number, bottom: readonly RuntimeValue[]): readonly RuntimeValue[] {
  return levels === 0 ? bottom : [nested(levels - 1, bottom)];
}

test('sets are equal whatever the order and however often an element is named', () => {
  assert.ok(areEqual([1, [2, 3], [3]], [[3], 1, [3, 2], [2, 3, 3]]));
  assert.ok(!areEqual([1, [2]], [1, [2], [3]]));
  assert.ok(!areEqual([1, [2], [3]], [1, [2]]));
  assert.ok(!areEqual([1, [2]], [[2]]));
  assert.ok(areEqual([{ a: [1] }, 'x'], ['x', { a: [1, 1] }]));
  assert.ok(areEqual([], []) && !areEqual([], [[]]));
});

test('`::` stands for at least one group of zeros, and once', () => {
  assert.ok(parseExtension('ip', '1:2:3:4::5:6:7') !== undefined);
  for (const text of [
    '1:2:3:4::5:6:7:8',
    '1:2:3:4:5:6:7:8::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
  ])
    assert.equal(parseExtension('ip', text), undefined, text);
});

test('sets that nest 200 deep are compared at once, equal or not', () => {
  assert.ok(areEqual(nested(200, [1]), nested(200, [1])));
  assert.ok(!areEqual(nested(200, [1]), nested(200, [2])));
  const wide = (last: number): readonly RuntimeValue[] =>
    Array.from({ length: 6 }).reduce<readonly RuntimeValue[]>((below) => [below, [...below, 7]], [last]);
  assert.ok(areEqual(wide(1), wide(1)));
  assert.ok(!areEqual(wide(1), wide(2)));
});
