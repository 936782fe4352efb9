// Checks which ids of a long list an entry names: the first that fit, never none, and the rest by their number.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8Length } from './canonical.ts';
import { listed, listedRules, listedTeams } from './listed-rules.ts';

const ids = (count: number, length: number) =>
  Array.from({ length: count }, (_, i) => `${i}-`.padEnd(length, 'x'));
const bytesOf = (list: readonly string[]) => list.reduce((sum, id) => sum + utf8Length(id), 0);

test('what fits is listed whole, and nothing is counted', () => {
  const policyIds = ids(32, 64);
  const errors = ids(16, 64).map((policyId) => ({ policyId, message: 'no' }));
  const all = errors.map(({ policyId }) => policyId);
  assert.deepEqual(listedRules({ policyIds, errors: [] }), { rules: policyIds });
  assert.deepEqual(listedRules({ policyIds, errors }), { rules: policyIds, errors: all });
  assert.deepEqual(listedRules({ policyIds: [], errors: [] }), { rules: [] });
});

test('what does not fit 2,048 bytes of rules and 1,024 of errors is counted, each for itself', () => {
  const policyIds = ids(33, 64);
  const errors = ids(20, 64).map((policyId) => ({ policyId }));
  assert.deepEqual(listedRules({ policyIds, errors }), {
    rules: policyIds.slice(0, 32),
    more: 1,
    errors: ids(16, 64),
    more_errors: 4,
  });
  assert.deepEqual(listedTeams(policyIds), { teams: policyIds.slice(0, 32), more_teams: 1 });
  assert.deepEqual(listedTeams(['team']), { teams: ['team'] });
});

test('bytes are counted, not characters, and one id is listed however long it is', () => {
  assert.deepEqual(listed(['ää', 'ö', 'a'], 6), { ids: ['ää', 'ö'], more: 1 });
  assert.deepEqual(listed(['x'.repeat(9), 'y'], 4), { ids: ['x'.repeat(9)], more: 1 });
  assert.deepEqual(listed(['x'.repeat(9)], 4), { ids: ['x'.repeat(9)], more: 0 });
});

test('a list is the longest beginning that fits, and list and count together are all', () => {
  const property = fc.property(
    fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { maxLength: 40 }),
    fc.integer({ min: 1, max: 200 }),
    (all, most) => {
      const { ids: named, more } = listed(all, most);
      assert.deepEqual(named, all.slice(0, named.length));
      assert.equal(named.length + more, all.length);
      assert.ok(named.length > 0 || all.length === 0);
      assert.ok(named.length <= 1 || bytesOf(named) <= most);
      if (more > 0) assert.ok(bytesOf(all.slice(0, named.length + 1)) > most);
      assert.deepEqual(listed(all, most), { ids: named, more });
    },
  );
  fc.assert(property, { numRuns: 500 });
});
