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

function saidOf(schema: z.ZodType, value: unknown): string {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  return issue === undefined ? '' : issueText(issue);
}

const said = (value: unknown): string => saidOf(shape, value);

test('a field that is missing, of another kind, or unknown is told with what to give', () => {
  assert.equal(said({}), 'is missing: give text');
  assert.equal(said({ name: 1 }), 'is of another kind: give text');
  assert.equal(said({ name: 'x', count: Number.NaN }), 'is of another kind: give a number');
  assert.equal(said({ name: 'x', kind: 'c' }), 'must be one of `a`, `b`');
  assert.equal(said({ name: 'x', nam: 1 }), 'has `nam`, which nothing here reads: leave it out');
});

test('what a caller sent is repeated in part: some names of many, and the beginning of a long one', () => {
  const many = Object.fromEntries(Array.from({ length: 80_000 }, (_, i) => [`k${i}`, 1]));
  const text = said({ name: 'x', ...many });
  assert.match(text, /^has `k0`, .*`k9` and 79990 more, which nothing here reads: leave it out$/);
  assert.equal(said({ name: 'x', ['n'.repeat(1_000)]: 1 }).includes('n'.repeat(65)), false);
});

test('the words of a schema itself stay', () => {
  assert.equal(said({ name: 'x', slug: 'A' }), 'must be small letters');
});

const scope = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('day') }),
  z.object({ kind: z.literal('week') }),
]);

const plain: readonly (readonly [schema: z.ZodType, value: unknown, text: string])[] = [
  [z.number().min(60), 59, 'must be at least 60'],
  [z.number().int().positive(), 0, 'must be more than 0'],
  [z.number().max(100), 101, 'must be at most 100'],
  [z.number().lt(5), 5, 'must be less than 5'],
  [z.number().int(), 1.5, 'is of another kind: give a whole number'],
  [z.number().multipleOf(5), 3, 'must be a multiple of 5'],
  [z.string().min(10), 'short', 'must have at least 10 characters'],
  [z.string().min(1), '', 'must not be empty: give text'],
  [z.string().max(1), 'xy', 'must have at most 1 character'],
  [z.string().length(2), 'x', 'must have 2 characters'],
  [z.array(z.string()).min(1), [], 'must not be empty: give one item or more'],
  [z.array(z.string()).max(1), ['a', 'b'], 'must have at most 1 item'],
  [scope, { kind: 'year' }, 'must be one of `day`, `week`'],
  [scope, {}, 'must be one of `day`, `week`'],
  [scope, 'day', 'is of another kind: give an object'],
  [z.union([z.literal('direct'), z.number()]), 'x', 'must be `direct`, or is of another kind: give a number'],
  [z.email(), 'alice', 'must be an e-mail address, such as `alice@example.com`'],
  [z.url(), 'nowhere', 'must be an http or https URL, such as `https://api.example.com/v1`'],
  [z.iso.datetime(), 'noon', 'must be a time in RFC 3339, such as `2026-01-31T12:00:00Z`'],
  [
    z.string().regex(/^[a-z]+$/),
    'A',
    'has another form than the one that is taken: it must match `/^[a-z]+$/`',
  ],
];

for (const [schema, value, text] of plain) {
  test(`it is said plainly: ${text}`, () => {
    assert.equal(saidOf(schema, value), text);
  });
}
