// Checks that every row leads back to its log and its place there, and that later logs come behind.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseOf, leastIndex, placeOf } from './log-places.ts';

test('rows of closed logs lie below those of the current one, in the order of the logs', () => {
  assert.deepEqual(placeOf(7), { number: 0, place: 7 });
  const rows = [1, 2, 3, 1_000].flatMap((number) => [0, 1, 2 ** 40 - 1].map((place) => ({ number, place })));
  const indices = rows.map(({ number, place }) => baseOf(number) + place);
  assert.deepEqual(indices.map(placeOf), rows);
  assert.deepEqual(
    indices.toSorted((a, b) => a - b),
    indices,
  );
  assert.ok(indices.every((index) => index < 0 && index >= leastIndex && Number.isSafeInteger(index)));
});
