// Owns the claim that places of calls are read as they were written, in the order of the log.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPlaces, decodePlaces } from './pack-places.ts';

const start = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 40 }));

test('places are read in the order of their intents, however they were added', () => {
  const call = fc.tuple(
    fc.nat({ max: 5_000 }),
    fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 20 - 1 })),
  );
  const calls = fc.uniqueArray(call, { minLength: 1, maxLength: 300, selector: ([index]) => index });
  fc.assert(
    fc.property(start, calls, (first, some) => {
      const places = createPlaces(first);
      const added = some.map(([index, apart]) => ({
        index: first + index,
        outcomeIndex: first + index + apart,
      }));
      for (const one of added) assert.ok(places.add(one));
      const { first: begin, end, bytes } = places.encode();
      const sorted = added.toSorted((a, b) => a.index - b.index);
      assert.deepEqual([begin, end], [sorted[0]?.index, (sorted.at(-1)?.index ?? 0) + 1]);
      assert.deepEqual(decodePlaces(begin, bytes), sorted);
      // Where a log was closed, all of its places are moved alike.
      const moved = sorted.map(({ index, outcomeIndex }) => ({
        index: index - 2 ** 50,
        outcomeIndex: outcomeIndex - 2 ** 50,
      }));
      assert.deepEqual(decodePlaces(begin - 2 ** 50, bytes), moved);
    }),
  );
});

test('a call whose outcome does not follow its intent, or lies too far behind, is not taken', () => {
  const places = createPlaces(100);
  for (const [index, outcomeIndex] of [
    [99, 101],
    [100, 100],
    [101, 100],
    [100, 100 + 2 ** 20],
  ] as const)
    assert.equal(places.add({ index, outcomeIndex }), false);
  assert.equal(places.count(), 0);
});
