// Tests that entries put together by hand are the canonical JSON of the entries they stand for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { makeEntryId, makeRequestId } from '../ids.ts';
import { parseJson } from '../parse-json.ts';
import { assembleIntent, assembleOutcome } from './assemble.ts';
import { fragment } from './canonical.ts';
import { decodeEntry } from './entry.ts';

const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
const count = fc.maxSafeNat();
const word = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
const optional = { requiredKeys: [] };

const actor = fc.record({
  id: word,
  kind: fc.constantFrom('user', 'service'),
  proof: fc.constantFrom('idp', 'key'),
  teams: fc.array(word, { maxLength: 3 }),
});
const id = random.map((bytes) => makeEntryId(1_763_769_600_000, bytes));
const plain = {
  type: fc.constantFrom('model_call', 'tool_call'),
  id,
  sv: count,
  req: random.map((bytes) => makeRequestId(1_763_769_600_000, bytes)),
  attempt: fc.integer({ min: 1, max: 9 }),
} as const;
const maybe = {
  cc: word,
  trace: word,
  err: fc.record(
    { code: fc.constant('rate_limited'), http: fc.integer({ min: 100, max: 599 }) },
    { requiredKeys: ['code'] },
  ),
};
const fragments = fc.record({
  ...{ actor, target: fc.record({ model: word, route: word }, optional) },
  ...{ log: word, ts: fc.constant('2026-11-22T03:35:39.123Z'), node: word, boot: word },
});
const asked = fc.record(
  { client: id, client_c: hash, req_c: hash, req_len: count },
  { requiredKeys: ['req_len'] },
);
const answered = fc.record({ resp_c: hash, resp_len: count }, { requiredKeys: ['resp_len'] });
const maybeFragments = fc.record(
  {
    class: fc.record({ labels: fc.array(word, { maxLength: 3 }) }),
    tags: fc.dictionary(word, word, { maxKeys: 3 }),
    run: fc.record({ id: word, depth: count }),
  },
  optional,
);
const money = {
  cost_nanos: count,
  currency: fc.constant('USD'),
  price_version: fc.string({ minLength: 1, maxLength: 40 }),
};
const both = [fc.record(plain), fc.record(maybe, optional), fragments, maybeFragments] as const;

function rendered(values: object): { readonly [name: string]: { readonly canonical: string } } {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fragment(value)]));
}

type Fixed = { readonly [K in 'actor' | 'target' | 'log' | 'ts' | 'node' | 'boot']: unknown };

function renderedFixed({ actor: who, target, log, ts, node, boot }: Fixed) {
  return {
    ...{ actor: fragment(who), target: fragment(target), log: fragment(log) },
    ...{ ts: fragment(ts), node: fragment(node), boot: fragment(boot) },
  };
}

const bytes = new Uint8Array(10);
const sample = {
  ...({ type: 'model_call', status: 'ok', sv: 1, attempt: 1 } as const),
  ...{ id: makeEntryId(1, bytes), req: makeRequestId(1, bytes), intent: makeEntryId(0, bytes) },
  ...renderedFixed({ actor: {}, target: {}, log: 'l', ts: 't', node: 'n', boot: 'b' }),
};

function holds(text: string, entry: object): void {
  assert.equal(text, canonicalize(entry));
  const decoded = decodeEntry(text);
  assert.ok(decoded.ok, JSON.stringify(decoded));
}

test('an assembled intent is the canonical JSON of its entry and fits the schema', () => {
  const own = fc.record(
    {
      reserved: fc.record(
        { ...money, in: count, out: count },
        { requiredKeys: ['cost_nanos', 'currency', 'price_version'] },
      ),
      status: fc.constantFrom('denied', 'refused'),
      content: asked,
    },
    optional,
  );
  const policy = fc.record({
    decision: fc.constantFrom('allow', 'deny'),
    version: count,
    hash,
    rules: fc.array(word),
  });
  const ctx = fc.dictionary(word, fc.oneof(word, count, fc.array(word)), { maxKeys: 4 });
  fc.assert(
    fc.property(...both, own, policy, ctx, (values, some, fixed, more, rest, policyValue, ctxValue) => {
      const entry = { ...values, ...some, ...fixed, ...more, ...rest, policy: policyValue, ctx: ctxValue };
      const parts = {
        ...values,
        ...some,
        ...rest,
        ...rendered(more),
        ...renderedFixed(fixed),
        policy: fragment(policyValue),
        ctx: fragment(ctxValue),
      };
      const text = assembleIntent(parts, parts);
      holds(text, { ...entry, v: 1, phase: 'intent' });
    }),
    { numRuns: 400 },
  );
});

test('an assembled outcome is the canonical JSON of its entry and fits the schema', () => {
  const usage = fc.record(
    {
      ...money,
      in: count,
      out: count,
      cached: count,
      cache_write: count,
      cache_write_1h: count,
      reasoning: count,
      source: fc.constantFrom('provider', 'estimated'),
    },
    { requiredKeys: ['cost_nanos', 'currency', 'price_version', 'in', 'out', 'source'] },
  );
  const ms = fc.record({ total: count, upstream: count, decide: count }, { requiredKeys: ['total'] });
  const own = fc.record({ usage, ms, content: answered }, optional);
  const closing = fc.record({
    intent: id,
    status: fc.constantFrom('ok', 'failed', 'cancelled', 'unknown'),
  });
  fc.assert(
    fc.property(...both, own, closing, (values, some, fixed, more, rest, closed) => {
      const parts = {
        ...values,
        ...some,
        ...rest,
        ...closed,
        ...rendered(more),
        ...renderedFixed(fixed),
      };
      const text = assembleOutcome(parts, parts);
      holds(text, { ...values, ...some, ...fixed, ...more, ...rest, ...closed, v: 1, phase: 'outcome' });
    }),
    { numRuns: 400 },
  );
});

test('a usage that is not a whole number is refused, never recorded', () => {
  const usage = {
    cost_nanos: 1,
    currency: 'USD',
    price_version: 't1',
    in: 1,
    out: 1,
    source: 'provider',
  } as const;
  for (const wrong of [Number.NaN, 0.5, 2 ** 53])
    assert.throws(
      () => assembleOutcome(sample, { ...sample, usage: { ...usage, in: wrong } }),
      RangeError,
      String(wrong),
    );
});

test('what a caller wrote cannot leave its string', () => {
  const parts = { ...sample, cc: '","status":"ok', trace: '\\"\ud800' };
  const text = assembleOutcome(parts, parts);
  const value: unknown = parseJson(text);
  assert.equal(canonicalize(value), text);
  assert.match(text, /"cc":"\\",\\"status\\":\\"ok"/);
});
