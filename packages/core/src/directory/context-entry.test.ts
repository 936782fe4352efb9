// Tests that the fast text of a context is its canonical JSON, whatever it holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../ledger/canonical.ts';
import { contextFragment } from './context-entry.ts';

const text = fc.string({ maxLength: 12, unit: 'binary' });
const texts = fc.array(text, { maxLength: 3 });
const count = fc.nat();
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const context = fc.record({
  workspace: fc.record({ __entity: fc.record({ type: text, id: text }) }),
  workspaceName: text,
  endpoint: text,
  dialect: text,
  stream: fc.boolean(),
  labels: texts,
  counts: fc
    .tuple(count, fc.dictionary(fc.constantFrom('email', 'opaque', 'a', 'zz', 'Total'), count))
    .map(([total, found]) => ({ ...found, total })),
  opaque: fc.boolean(),
  tokens: count,
  maxOutput: maybe(count),
  hostedTools: texts,
  otherModels: maybe(texts),
  time: fc.record({ epoch: count, hour: count, weekday: count }),
  network: texts,
  authentication: fc.record({ proof: text, amr: texts, strength: count, age: maybe(count) }),
  key: maybe(fc.record({ id: text, environment: maybe(text), costCentre: maybe(text) })),
  application: maybe(fc.record({ id: text, name: text })),
  customer: maybe(text),
  agent: maybe(fc.record({ id: text, name: maybe(text), chain: texts, depth: count })),
  elevation: maybe(fc.record({ role: text, remaining: count })),
  run: maybe(
    fc.record({
      id: text,
      labels: texts,
      integrity: count,
      calls: count,
      spend: count,
      toolsUsed: texts,
      sources: texts,
    }),
  ),
  approval: maybe(fc.record({ id: text, approver: text, age: count })),
  claimed: fc.record({ user: maybe(text), task: maybe(text), tags: texts }),
});

test('the fast text of a context is its canonical JSON', () => {
  fc.assert(
    fc.property(context, (ctx) => {
      assert.equal(contextFragment(ctx).canonical, canonicalJson(ctx));
    }),
    { numRuns: 500 },
  );
});

test('a number that is no safe integer is not recorded', () => {
  fc.assert(
    fc.property(context, fc.constantFrom(Number.NaN, 0.5, 2 ** 53), (ctx, wrong) => {
      assert.throws(() => contextFragment({ ...ctx, tokens: wrong }), RangeError);
    }),
    { numRuns: 20 },
  );
});
