// Owns the claim that members are found with their values, whatever stands in the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from './canonical.ts';
import { membersOf, unquote } from './members.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':') }),
);
const name = fc.oneof(fc.constantFrom('a', 'ab', 'b', 'id', 'ids', 'v'), text);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
}));

test('each member that is named is found with its own value, and no other', () => {
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 8 }), fc.uniqueArray(name), (object, names) => {
      const sorted = names.filter((one) => !/["\\\p{Cc}]/u.test(one)).sort();
      const rendered = canonicalJson(object);
      const members = new Map(Object.entries(object));
      assert.deepEqual(
        membersOf(rendered, sorted),
        sorted.map((one) => (members.has(one) ? canonicalJson(members.get(one)) : undefined)),
      );
    }),
    { numRuns: 2_000 },
  );
});

test('a literal stands for its text', () => {
  fc.assert(fc.property(text, (one) => assert.equal(unquote(JSON.stringify(one)), one)));
  assert.throws(() => unquote('\\'), SyntaxError);
});
