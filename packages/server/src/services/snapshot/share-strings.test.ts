// Owns the test that sharing texts changes no value.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shareStrings } from './share-strings.ts';

test('values stay as they were, whatever they hold', () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), (values) => {
      const shared = structuredClone(values);
      shareStrings(shared);
      assert.deepEqual(shared, structuredClone(values));
    }),
  );
});
