// Claims how nesting is counted: brackets in a text, levels in a rule's JSON.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bracketTooDeep, levelsOf } from './nesting.ts';

test('the bracket that is one too many is found at its place', () => {
  assert.equal(bracketTooDeep('((a) [b] {c})', 2), undefined);
  assert.equal(bracketTooDeep('((a) [b {c}])', 2), 8);
});

test('brackets in texts and comments do not count', () => {
  assert.equal(bracketTooDeep('("(((\\"(((" // (((\n)', 1), undefined);
  assert.equal(bracketTooDeep('"(\\\\" ((', 1), 7);
  assert.equal(bracketTooDeep('"((', 1), undefined);
});

test('a chain has a level for each of its terms, and counting needs no stack', () => {
  const chain = (terms: number): unknown => {
    let value: unknown = { Value: true };
    for (let i = 1; i < terms; i += 1) value = { '&&': { left: value, right: { Value: true } } };
    return value;
  };
  assert.equal(levelsOf(chain(1)), 1);
  assert.equal(levelsOf(chain(1_000)), 1_000);
  assert.equal(levelsOf(chain(100_000)), 100_000);
});
