// Owns any valid entry, for properties that must hold of every one: each optional member there or not, any text in it.

import fc from 'fast-check';
import { makeEntryId, makeRequestId } from '../../ids.ts';
import type { Entry } from '../entry.ts';
import { actorKinds, decisions, proofKinds, usageSources } from '../entry-fields.ts';

const perhaps = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
/** Text that a format might trip over: its own marks, ends of lines, formulas, controls, any script, half characters. */
const difficult = fc.string({
  unit: fc.constantFrom(...'"\\][}{=+-@,;\n\r\t \0\u007f\u0085\u2028\u202e\ufeffé😀a', '\ud83d'),
});
const long = fc.tuple(difficult, fc.integer({ min: 1, max: 256 })).map(([text, most]) => text.repeat(most));
const texts = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), difficult, long);
const textOf = (most: number) => texts.filter((text) => text.length > 0 && text.length <= most);
const name = textOf(256);
const names = fc.array(name, { maxLength: 3 });
const label = textOf(64);
const count = fc.oneof(fc.nat(), fc.maxSafeNat());
const hash = fc.constant('ab'.repeat(32));
const code = fc.constantFrom('rate_limited', 'orphaned', 'a');
const moment = fc.constantFrom(
  '2026-11-22T03:35:39.123Z',
  '1969-01-01T00:00:00.000Z',
  '2026-02-30T12:00:00.000Z',
  '2026-11-22T24:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '9999-99-99T99:99:99.999Z',
);
const entryId = fc.nat().map((time) => makeEntryId(time, new Uint8Array(10).fill(7)));
const requestId = fc.nat().map((time) => makeRequestId(time, new Uint8Array(10).fill(8)));
const free = fc.dictionary(
  texts.filter((key) => key !== '__proto__' && key.isWellFormed()),
  fc.oneof(texts, fc.nat(), fc.boolean(), names),
  { maxKeys: 3 },
);

const actorKind = fc.constantFrom(...actorKinds);
const actor = fc.record({
  id: name,
  kind: actorKind,
  org: perhaps(name),
  ws: perhaps(name),
  teams: perhaps(names),
  roles: perhaps(names),
  act: perhaps(fc.array(fc.record({ id: name, kind: actorKind, iss: perhaps(name) }), { maxLength: 2 })),
  iss: perhaps(name),
  proof: perhaps(fc.constantFrom(...proofKinds)),
  auth_age: perhaps(count),
  cred: perhaps(name),
  session: perhaps(name),
});
const target = fc.record({
  provider: perhaps(name),
  model: perhaps(name),
  served: perhaps(name),
  route: perhaps(name),
  endpoint: perhaps(fc.oneof(name, fc.constant('chat'))),
  tool: perhaps(name),
  resource: perhaps(textOf(1024)),
});
const policy = fc.record({
  decision: fc.constantFrom(...decisions),
  version: count,
  hash,
  rules: names,
  more: perhaps(fc.integer({ min: 1, max: 9 })),
  obligations: perhaps(free),
  reason: perhaps(code),
  errors: perhaps(names),
});
const failure = fc.record({ code, http: perhaps(fc.integer({ min: 100, max: 599 })) });
const usage = fc.record({
  in: count,
  out: count,
  cached: perhaps(count),
  cache_write: perhaps(count),
  cache_write_1h: perhaps(count),
  reasoning: perhaps(count),
  cost_nanos: count,
  currency: fc.constant('EUR'),
  price_version: name,
  source: fc.constantFrom(...usageSources),
});
const content = fc.record({ client: perhaps(name), client_c: perhaps(hash), req_len: perhaps(count) });

const common = {
  v: fc.constant(1 as const),
  id: entryId,
  log: textOf(1024),
  ts: moment,
  node: name,
  boot: name,
  sv: count,
  actor,
  trace: perhaps(fc.oneof(textOf(128), fc.constant('0af7651916cd43dd8448eb211c80319c'))),
};
const called = {
  req: requestId,
  attempt: fc.integer({ min: 1, max: 9 }),
  target,
  class: perhaps(fc.record({ labels: fc.array(label, { maxLength: 3 }) })),
  content: perhaps(content),
  cc: perhaps(label),
  tags: perhaps(
    fc.dictionary(
      label.filter((key) => key.isWellFormed()),
      texts.filter((text) => text.length <= 256),
      { maxKeys: 2 },
    ),
  ),
  run: perhaps(fc.record({ id: name, depth: count })),
  err: perhaps(failure),
};
const requested = {
  req: requestId,
  target: perhaps(target),
  policy: perhaps(policy),
  ctx: perhaps(free),
  err: perhaps(failure),
};
const commandStatus = fc.constantFrom('ok', 'denied', 'refused', 'failed');
const change = fc.record({
  kind: fc.oneof(name, fc.constantFrom('user', 'key', 'roleAssignment')),
  id: name,
  state: fc.option(free),
});
const reason = textOf(1000);

const callType = fc.constantFrom('model_call' as const, 'tool_call' as const);
const calls: readonly fc.Arbitrary<Entry>[] = [
  fc.record({
    ...common,
    ...called,
    type: callType,
    phase: fc.constant('intent' as const),
    policy,
    ctx: free,
    status: perhaps(fc.constantFrom('denied', 'refused')),
  }),
  fc.record({
    ...common,
    ...called,
    type: callType,
    phase: fc.constant('outcome' as const),
    intent: entryId,
    status: fc.constantFrom('ok', 'upstream_error', 'failed', 'cancelled', 'cut', 'unknown'),
    usage: perhaps(usage),
    ms: perhaps(fc.record({ total: count, upstream: perhaps(count) })),
  }),
];

const others: readonly fc.Arbitrary<Entry>[] = [
  fc.record({
    ...common,
    ...requested,
    type: fc.constant('management' as const),
    op: fc.constantFrom(
      'user.create',
      'user.erase',
      'role_assignment.remove',
      'policy.publish',
      'odd',
      'key.revoke',
    ),
    status: commandStatus,
    change: perhaps(fc.array(change, { maxLength: 2 })),
    policy_text: perhaps(texts),
    reason: perhaps(reason),
    approvers: perhaps(fc.array(name, { minLength: 1, maxLength: 2 })),
  }),
  fc.record({
    ...common,
    ...requested,
    type: fc.constant('content_read' as const),
    status: commandStatus,
    record: entryId,
    reason,
  }),
  fc.record({
    ...common,
    ...requested,
    type: fc.constant('erasure' as const),
    status: commandStatus,
    subject: name,
    reason,
    approvers: fc.array(name, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    ...common,
    type: fc.constant('alert' as const),
    alert: fc.oneof(
      fc.record({
        kind: fc.constantFrom('budget_warning', 'budget_exhausted'),
        budget: name,
        limit_nanos: count,
        used_nanos: count,
        percent: count,
      }),
      fc.record({ kind: fc.constant('unknown_price' as const), model: name }),
      fc.record({
        kind: fc.constant('log_altered' as const),
        origin: textOf(1024),
        finding: code,
        index: perhaps(count),
      }),
    ),
  }),
  fc.record({
    ...common,
    type: fc.constant('refused_credentials' as const),
    refused: fc.record({
      from: moment,
      to: moment,
      total: count,
      sources: fc.array(fc.record({ source: name, reason: code, count }), { maxLength: 2 }),
    }),
  }),
  fc.record({ ...common, type: fc.constant('checkpoint' as const), target, checkpoint: name }),
  fc.record({
    ...common,
    type: fc.constant('log_opened' as const),
    opened: fc.record({ origin: textOf(1024), vkey: name, previous: perhaps(name) }),
  }),
];

/** Any entry that version 1 accepts, every type about as often as the others. */
export const anyEntry: fc.Arbitrary<Entry> = fc.oneof(...calls, ...calls, ...others);
