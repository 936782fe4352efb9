// Owns the claim that what rows are made of is what a parser reads in the entry.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import { parseJson } from '@countersign/core/parse-json';
import fc from 'fast-check';
import { recordViewOf } from '../services/ledger/record-view.ts';
import { projectEntry } from './record-rows.ts';
import type { UsageRow } from './usage.ts';
import { addUsageRow } from './usage-rows.ts';

const entryId = 'ent_01m8fexyjteszskqsyscsmjdys';
const name = fc.oneof(
  fc.constantFrom('usr_1', 'key_1', 'a "quoted" one', 'back\\slash', '{"id":"x"}', 'é', '],['),
  fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed()),
);
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const count = fc.nat();

const actor = fc.record({
  id: name,
  kind: fc.constantFrom('user', 'service', 'agent'),
  cred: optional(fc.constantFrom('key_1', 'iss_1')),
  ws: optional(name),
  teams: optional(fc.array(name, { maxLength: 3 })),
  act: optional(
    fc.array(fc.record({ id: name, kind: fc.constantFrom('agent', 'service') }), {
      minLength: 1,
      maxLength: 3,
    }),
  ),
  proof: fc.constant('key'),
});

const target = fc.record({ model: optional(name), resource: optional(name), route: optional(name) });

const common = fc.record({
  actor,
  target,
  cc: optional(name),
  err: optional(fc.record({ code: fc.constant('failed') })),
  ms: fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }),
});

/** Members that are undefined are left out. */
const canonical = (entry: object): string => canonicalJson(parseJson(JSON.stringify(entry)));

const head = (ms: number) => ({
  v: 1,
  id: entryId,
  log: 'gateway.test/org',
  ts: new Date(ms).toISOString(),
  node: 'n',
  boot: 'b',
  sv: 3,
  type: 'model_call',
  req: 'req_01m8fgmpkved28ak0064b6h13c',
  attempt: 1,
});

type Acting = { readonly kind: string; readonly id: string };

function applicationOf(acting: Acting & { readonly act?: readonly Acting[] | undefined }): string | null {
  if (acting.kind === 'service') return acting.id;
  return acting.act?.find(({ kind }) => kind === 'service')?.id ?? null;
}

test('the row of an intent', () => {
  const more = fc.record({
    labels: optional(fc.uniqueArray(fc.constantFrom('email', 'phase', 'status'), { maxLength: 3 })),
    status: optional(fc.constantFrom('denied', 'refused')),
    tags: fc.array(name, { maxLength: 3 }),
    reason: optional(name),
  });
  fc.assert(
    fc.property(common, more, ({ actor, target, cc, err, ms }, { labels, status, tags, reason }) => {
      const policy = { decision: 'allow', version: 2, hash: '0'.repeat(64), rules: ['r'], reason };
      const text = canonical({
        ...head(ms),
        phase: 'intent',
        actor,
        target,
        cc,
        err,
        status,
        policy,
        class: labels === undefined ? undefined : { labels },
        ctx: { claimed: { tags }, phase: 'outcome', ts: 'x' },
      });
      const made = projectEntry(7, text);
      assert.ok(made.kind === 'row');
      const { detail, ...row } = made.row;
      assert.deepEqual(row, {
        entry_index: 7,
        outcome_index: null,
        id: entryId,
        request_id: 'req_01m8fgmpkved28ak0064b6h13c',
        at: ms,
        type: 'model_call',
        event: null,
        actor_id: actor.id,
        workspace_id: actor.ws ?? null,
        application_id: applicationOf(actor),
        model: target.model ?? null,
        decision: 'allow',
        labels: labels === undefined || labels.length === 0 ? null : ` ${labels.join(' ')} `,
        status: status ?? null,
        boot: 'b',
        outcome: null,
      });
      const { version, rules } = policy;
      const kept = { actor, target, policy: { version, rules, reason }, cc, err, attempt: 1 };
      assert.deepEqual(parseJson(detail), parseJson(JSON.stringify(kept)));
      assert.deepEqual(made.use, actor.cred === 'key_1' ? { keyId: 'key_1', atMs: ms } : undefined);
    }),
  );
});

test('what an outcome adds', () => {
  const used = fc.record({
    in: count,
    out: count,
    cached: optional(count),
    cache_write: optional(count),
    reasoning: optional(count),
    cost_nanos: fc.maxSafeNat(),
    currency: fc.constant('USD'),
    price_version: name,
    source: fc.constantFrom('provider', 'estimated'),
  });
  fc.assert(
    fc.property(common, optional(used), ({ actor, target, cc, err, ms }, usage) => {
      const text = canonical({
        ...head(ms),
        phase: 'outcome',
        intent: entryId,
        actor,
        target,
        cc,
        err,
        status: 'ok',
        usage,
        ms: { total: 3 },
      });
      const made = projectEntry(8, text);
      assert.ok(made.kind === 'outcome');
      assert.equal(made.intent, entryId);
      assert.equal(made.status, 'ok');
      const shown: unknown = parseJson(JSON.stringify({ target, usage, ms: { total: 3 }, err }));
      assert.deepEqual(parseJson(made.outcome), shown);
      const own = {
        user_id: actor.kind === 'service' ? null : actor.id,
        key_id: actor.cred === 'key_1' ? actor.cred : null,
        team_ids: (actor.teams ?? []).join(' '),
        workspace_id: actor.ws ?? null,
        cost_centre: cc ?? null,
        model: target.model ?? null,
        model_id: target.resource ?? null,
        application_id: applicationOf(actor),
      };
      const agents = (actor.act ?? []).flatMap(({ kind, id }) => (kind === 'agent' ? [id] : []));
      const counted = usage && {
        day: Math.floor(ms / 86_400_000),
        dimensions: JSON.stringify([...Object.values(own), agents.join(' ')]),
        ...own,
        requests: 1,
        estimated: usage.source === 'estimated' ? 1 : 0,
        input_tokens: usage.in + (usage.cache_write ?? 0),
        output_tokens: usage.out,
        cached_tokens: usage.cached ?? 0,
        reasoning_tokens: usage.reasoning ?? 0,
        cost_nanos: BigInt(usage.cost_nanos),
      };
      assert.deepEqual(made.usage, counted);
    }),
  );
});

test('what is counted together is of one day and for the same, in whatever order it comes', () => {
  const row = (dimensions: string, day: number): UsageRow => ({
    day,
    dimensions,
    user_id: null,
    key_id: null,
    team_ids: '',
    workspace_id: null,
    cost_centre: null,
    model: null,
    model_id: null,
    application_id: null,
    requests: 1,
    estimated: 0,
    input_tokens: 2,
    output_tokens: 3,
    cached_tokens: 0,
    reasoning_tokens: 0,
    cost_nanos: 5n,
  });
  const calls = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 3 })));
  fc.assert(
    fc.property(calls, (added) => {
      const sums = new Map<string, UsageRow>();
      for (const [dimensions, day] of added) addUsageRow(sums, row(dimensions, day));
      const counted = [...sums.values()].map((sum) => [
        sum.dimensions,
        sum.day,
        sum.requests,
        sum.cost_nanos,
      ]);
      const expected = new Map<string, number>();
      for (const [dimensions, day] of added)
        expected.set(`${dimensions} ${day}`, (expected.get(`${dimensions} ${day}`) ?? 0) + 1);
      const wanted = [...expected].map(([key, calls]) => {
        const [dimensions, day] = key.split(' ');
        return [dimensions, Number(day), calls, 5n * BigInt(calls)];
      });
      const order = (one: unknown[], two: unknown[]) => (String(one) < String(two) ? -1 : 1);
      assert.deepEqual(counted.sort(order), wanted.sort(order));
    }),
  );
});

test('the row of an alert says of what kind it is', () => {
  const text = canonical({
    ...{ v: 1, id: entryId, log: 'gateway.test/org', ts: new Date(0).toISOString(), node: 'n', boot: 'b' },
    ...{ sv: 3, type: 'alert', actor: { id: 'system', kind: 'system' } },
    alert: { kind: 'unknown_price', model: 'mdl_1' },
  });
  const made = projectEntry(7, text);
  assert.ok(made.kind === 'row');
  assert.deepEqual([made.row.type, made.row.event], ['alert', 'unknown_price']);
  const seen = recordViewOf(made.row, (id) => (id === 'mdl_1' ? 'unpriced' : undefined));
  assert.deepEqual(seen.alert, { kind: 'unknown_price', about: 'mdl_1', aboutName: 'unpriced' });
  // As it was written before there was an event for it.
  assert.equal(recordViewOf({ ...made.row, event: null }, () => undefined).event, 'unknown_price');
});

test('what was read and who was erased have the event that their denials have', () => {
  const common = {
    ...{ v: 1, id: entryId, log: 'gateway.test/org', ts: new Date(0).toISOString(), node: 'n', boot: 'b' },
    ...{ sv: 3, actor: { id: 'usr_1', kind: 'user' }, status: 'ok', reason: 'asked for' },
  };
  for (const [entry, event] of [
    [{ type: 'content_read', record: entryId }, 'record.content'],
    [{ type: 'erasure', subject: 's', approvers: [] }, 'user.erase'],
  ] as const) {
    const made = projectEntry(7, canonical({ ...common, ...entry }));
    assert.equal(made.kind === 'row' ? made.row.event : undefined, event);
  }
});
