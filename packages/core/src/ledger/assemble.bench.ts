// Owns the measurement of an entry's text: assembled from fragments, walked by our canonical JSON, by a library.

import canonicalize from 'canonicalize';
import { makeEntryId, makeRequestId } from '../ids.ts';
import { assembleIntent, assembleOutcome } from './assemble.ts';
import { canonicalJson, fragment } from './canonical.ts';

const bytes = new Uint8Array(10).fill(7);
const hash = 'ab'.repeat(32);
const fixed = {
  ...({
    type: 'model_call',
    sv: 41,
    attempt: 1,
  } as const),
  ...{ id: makeEntryId(1_763_769_600_000, bytes), req: makeRequestId(1_763_769_600_000, bytes) },
  cc: 'research',
};
const content = { req_c: hash, req_len: 912 };
const texts = { log: 'gw.example/org_01', node: 'n1', boot: '5f0c2e', ts: '2026-11-22T03:35:39.123Z' };
const actor = {
  ...{
    id: 'usr_01kb0000000000000000000000',
    kind: 'user',
    org: 'org_01',
    ws: 'ws_01',
    proof: 'key',
    cred: 'key_01',
  },
  ...{ teams: ['team_01', 'team_02'], roles: ['member'] },
};
const target = { provider: 'sandbox', model: 'echo', served: 'echo-1', route: '/v1/chat/completions' };
const policy = { decision: 'allow', version: 41, hash, rules: ['members-may-call'] };
const ctx = {
  labels: ['email'],
  counts: { email: 2 },
  network: ['office'],
  claimed: { tags: ['a'] },
  hour: 14,
};
const reserved = { cost_nanos: 120_000, currency: 'USD', in: 300, out: 1000, price_version: 't7' };
const usage = {
  cost_nanos: 40_000,
  currency: 'USD',
  in: 280,
  out: 120,
  price_version: 't7',
  source: 'provider',
} as const;
const ms = { total: 812, upstream: 801, decide: 1 };
const intent = fixed.id;
const parts = {
  ...{ ...fixed, actor: fragment(actor), target: fragment(target), log: fragment(texts.log) },
  ...{ node: fragment(texts.node), boot: fragment(texts.boot), ts: fragment(texts.ts) },
};
const policyText = fragment(policy);
const plainIntent = {
  ...fixed,
  ...texts,
  content,
  v: 1,
  phase: 'intent',
  actor,
  target,
  policy,
  ctx,
  reserved,
};

const subjects: { readonly [name: string]: () => string } = {
  'intent, all but ctx cached': () =>
    assembleIntent(parts, { policy: policyText, ctx: fragment(ctx), reserved, content }),
  'outcome, all cached': () => assembleOutcome(parts, { intent, status: 'ok', usage, ms }),
  'intent by canonicalJson': () => canonicalJson(plainIntent),
  'intent by the library': () => canonicalize(plainIntent) ?? '',
};

const rounds = 9;
const runs = 50_000;
for (const [name, subject] of Object.entries(subjects)) {
  const times: number[] = [];
  let length = 0;
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    for (let i = 0; i < runs; i += 1) length = subject().length;
    times.push(((performance.now() - started) / runs) * 1000);
  }
  const median = times.toSorted((a, b) => a - b)[(rounds - 1) / 2] ?? Number.NaN;
  console.log(`${name}: ${median.toFixed(2)} \u00b5s for ${length} characters`);
}
