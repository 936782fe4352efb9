// Owns the claim that what the bytes of an entry tell of a call is what a parser reads in it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isObject } from '@countersign/core/json';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { parseJson } from '@countersign/core/parse-json';
import fc from 'fast-check';
import { callBytesOf, intentTimeOf } from './call-bytes.ts';

const id = '019a0000-0000-7000-8000-00000000000a';
const intent = '019a0000-0000-7000-8000-00000000000b';
/** Texts that look like what is looked for, as a caller could write them. */
const bait = [
  `","log":"`,
  `"id":"${id}","log":"`,
  `"intent":"${id}","log":"x`,
  '"phase":"intent","policy":{"decision":"allow",',
  '"ts":"2026-01-01T00:00:00.000Z","type":"model_call","v":1}',
];
const text = fc.oneof(fc.string(), fc.constantFrom(...bait));
/** Objects in an entry have no `log`: one that had would not be told by its bytes, and never for another. */
const odd = fc.record({ id: text, log: text });
const member = fc.oneof(text, odd, fc.array(text, { maxLength: 2 }));
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const entry = fc.record({
  actor: fc.record({ id: text, teams: fc.array(text, { maxLength: 2 }) }),
  boot: text,
  cc: optional(text),
  ctx: optional(fc.record({ claimed: member, decision: text })),
  id: fc.constant(id),
  intent: optional(fc.constant(intent)),
  log: text,
  ms: optional(fc.record({ total: fc.nat() })),
  node: text,
  phase: fc.constantFrom('intent', 'outcome', undefined),
  policy: optional(fc.record({ decision: fc.constantFrom('allow', 'deny'), reason: text })),
  tags: optional(member),
  target: fc.record({ model: text }),
  ts: fc.constant('2026-11-28T20:10:09.123Z'),
  type: fc.constantFrom('model_call', 'tool_call', 'management'),
  v: fc.constant(1),
});

test('phase, id and decision are those that a parser reads, whatever callers wrote', () => {
  fc.assert(
    fc.property(entry, (made) => {
      const whole = {
        ...made,
        // As entries are: an outcome names its intent, and nothing else does; only an intent has a decision.
        intent: made.phase === 'outcome' ? intent : undefined,
        policy: made.phase === 'intent' ? (made.policy ?? { decision: 'allow' }) : undefined,
        phase: made.type === 'management' ? undefined : made.phase,
      };
      const bytes = Buffer.from(canonicalJson(parseJson(JSON.stringify(whole))), 'utf8');
      const read = parseJson(bytes.toString('utf8'));
      assert.ok(isObject(read) && isObject(read.policy ?? {}));
      const found = callBytesOf(bytes);
      if (found === undefined && bytes.includes('"claimed":{')) return;
      if (read.phase === 'intent') {
        assert.deepEqual(found, { phase: 'intent', id, isAllowed: whole.policy?.decision === 'allow' });
        assert.equal(intentTimeOf(bytes), read.type === 'model_call' ? read.ts : undefined);
      } else if (read.phase === 'outcome') assert.deepEqual(found, { phase: 'outcome', id: intent });
    }),
    { numRuns: 1_000 },
  );
});
