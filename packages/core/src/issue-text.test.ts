// Tests that what is said of a value tells what to give instead.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { issueText } from './issue-text.ts';

const shape = z.strictObject({
  name: z.string(),
  count: z.number().optional(),
  kind: z.enum(['a', 'b']).optional(),
  slug: z
    .string()
    .regex(/^[a-z]+$/, 'must be small letters')
    .optional(),
});

function said(value: unknown): string {
  const [issue] = shape.safeParse(value).error?.issues ?? [];
  return issue === undefined ? '' : issueText(issue);
}

test('a field that is missing, of another kind, or unknown is told with what to give', () => {
  assert.equal(said({}), 'is missing: give text');
  assert.equal(said({ name: 1 }), 'is of another kind: give text');
  assert.equal(said({ name: 'x', count: Number.NaN }), 'is of another kind: give a number');
  assert.equal(said({ name: 'x', kind: 'c' }), 'must be one of `a`, `b`');
  assert.equal(said({ name: 'x', nam: 1 }), 'has `nam`, which nothing here reads: leave it out');
});

test('the words of a schema itself stay', () => {
  assert.equal(said({ name: 'x', slug: 'A' }), 'must be small letters');
});
