// Owns the claims about calls in packs, on either database: they are found as rows are, by whatever records are found by.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { OrgId } from '@countersign/core/ids';
import { type CallIntent, type CallOutcome, encodeEntry } from '@countersign/core/ledger/entry';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { callEntries } from '@countersign/server/control/sample-calls';
import {
  makeOrganization,
  type SampleOrganization,
  type SampleStore,
} from '@countersign/server/control/sample-organization';
import { neverPause } from '@countersign/server/services/ledger/pause';
import { createProjection } from '@countersign/server/services/ledger/projection';
import { readEntries } from '@countersign/server/services/ledger/read-tiles';
import { createBuilt } from '@countersign/server/stores/built-statements';
import { readHead, setProjected } from '@countersign/server/stores/heads';
import type { RecordFilter } from '@countersign/server/stores/record-filter';
import {
  clearRecords,
  findRecord,
  listClosed,
  listOpen,
  listRecords,
} from '@countersign/server/stores/records';
import type { RecordRow } from '@countersign/server/stores/schema';
import { lastTraceAt } from '@countersign/server/stores/traces';

import { continued, receiptsOf } from './continue-suite.ts';

export type Fixture = { readonly store: SampleStore; readonly made: SampleOrganization };
type Call = { readonly intent: CallIntent; readonly outcome: CallOutcome };

const models = ['small', 'a "quoted" one', 'team_0000000000000000000000000b', 'é'];

/** A call that differs from its neighbours in everything that records are asked for by. */
export function sampleCall(
  { store, made }: Fixture,
  log: Parameters<typeof callEntries>[2],
  n: number,
): Call {
  const { intent, outcome } = callEntries(store, made.owner, log);
  const id = n % 5 === 0 ? 'user_0000000000000000000000000r' : intent.actor.id;
  const more = {
    actor: {
      ...intent.actor,
      id,
      teams: n % 3 === 0 ? ['team_0000000000000000000000000a', 'team_0000000000000000000000000b'] : [],
      ws: n % 7 === 0 ? 'ws_00000000000000000000000000' : (intent.actor.ws ?? ''),
      ...(n % 4 === 0 ? { act: [{ id: 'svc_0000000000000000000000000s', kind: 'service' as const }] } : {}),
    },
    target: { ...intent.target, model: models[n % models.length] ?? '' },
    class: { labels: n % 6 === 0 ? ['email', 'us_ssn'] : [] },
    ...(n % 2 === 0 ? { cc: `cc "${n % 3}"` } : {}),
  };
  return { intent: { ...intent, ...more }, outcome: { ...outcome, ...more } };
}

export async function commit(
  { store, made }: Fixture,
  entries: readonly (CallIntent | CallOutcome)[],
): Promise<void> {
  const { orgId } = made.owner;
  const bundle = encodeBundle(entries.map((entry) => Buffer.from(encodeEntry(entry), 'utf8')));
  const versions = entries.map(() => -1);
  await store.committer.commit([{ orgId, bundle, versions, sidecars: [], objects: [] }]);
}

/** Calls whose entries are projected with each commit, so that each call is a row: some open, some late, some refused. */
export async function writeCalls(fixture: Fixture, count: number): Promise<readonly Call[]> {
  const { store, made } = fixture;
  const { orgId } = made.owner;
  const head = await readHead(store.db, orgId);
  assert.ok(head !== undefined);
  const calls = Array.from({ length: count }, (_, n) => sampleCall(fixture, head, n));
  // Two attempts of one request.
  const [first, second] = calls.slice(100, 102);
  if (first !== undefined && second !== undefined)
    calls.splice(101, 1, {
      intent: { ...second.intent, req: first.intent.req, attempt: 2 },
      outcome: { ...second.outcome, req: first.intent.req, attempt: 2 },
    });
  const late: CallOutcome[] = [];
  for (const [n, { intent, outcome }] of calls.entries()) {
    if (n % 11 === 3) await commit(fixture, [{ ...intent, status: 'denied' }]);
    else if (n % 13 === 4) await commit(fixture, [intent]);
    else if (n % 9 === 5) await commit(fixture, [intent]).then(() => late.push(outcome));
    else await commit(fixture, [intent, outcome]);
    if (n % 30 === 29) await commit(fixture, late.splice(0));
    await store.projector.drain(orgId);
  }
  return calls;
}

const filters: readonly RecordFilter[] = [
  {},
  { actor: 'user_0000000000000000000000000r' },
  { actor: 'user_0000000000000000000000000r', model: 'small' },
  { actor: 'other_000000000000000000000000r' },
  ...models.map((model) => ({ model })),
  { model: 'smal' },
  { label: 'us_ssn' },
  { label: 'ssn' },
  { workspace: 'ws_00000000000000000000000000' },
  { application: 'svc_0000000000000000000000000s' },
  { team: 'team_0000000000000000000000000b' },
  { team: 'team_0000000000000000000000000b', workspace: 'ws_00000000000000000000000000' },
  { costCentre: 'cc "2"' },
  { decision: 'allow' },
  { decision: 'deny' },
  { type: 'model_call' },
  { type: 'management' },
  { event: 'user.create' },
];

/** All that fits, seven at a time. */
export async function listAll(
  store: SampleStore,
  orgId: OrgId,
  filter: RecordFilter,
): Promise<readonly RecordRow[]> {
  const found: RecordRow[] = [];
  for (;;) {
    const page = await listRecords(store.db, orgId, filter, found.at(-1)?.entry_index, 7);
    found.push(...page.slice(0, 7));
    if (page.length <= 7) return found;
  }
}

/** What is found of calls, by everything that finds them. */
async function findings({ store, made }: Fixture, calls: readonly Call[], spans: readonly RecordFilter[]) {
  const { orgId } = made.owner;
  const ids = calls.map(({ intent }) => intent.id);
  const lists: (readonly RecordRow[])[] = [];
  for (const filter of [...filters, ...spans]) lists.push(await listAll(store, orgId, filter));
  const each: (RecordRow | undefined)[] = [];
  for (const { intent } of calls)
    each.push(await findRecord(store.db, orgId, intent.id), await findRecord(store.db, orgId, intent.req));
  return {
    lists,
    each,
    closed: await listClosed(store.db, orgId, [...ids, 'nobody']),
    open: await listOpen(store.db, orgId, ids),
    traces: await Promise.all(
      ['user_0000000000000000000000000r', made.owner.principalId, 'user_none'].map((id) =>
        lastTraceAt(store.db, orgId, id),
      ),
    ),
  };
}

export async function countOf({ store, made }: Fixture, table: 'records' | 'record_packs'): Promise<number> {
  const rows = await store.db
    .selectFrom(table)
    .select('org_id')
    .where('org_id', '=', made.owner.orgId)
    .execute();
  return rows.length;
}

/** Projects the entries from place `from` up to `to`, in steps of so many entries. */
export async function projectSteps(
  { store, made }: Fixture,
  span: { readonly from: number; readonly to: number },
  step: number,
): Promise<void> {
  const { orgId } = made.owner;
  const entries = await readEntries(store.db, orgId, span.from, span.to);
  const projection = createProjection(createBuilt());
  await store.db.transaction().execute(async (tx) => {
    for (let at = 0; at < entries.length; at += step) {
      const some = entries.slice(at, at + step);
      const stored = { first: span.from + at, count: some.length, entries: some };
      const note = await projection.write(tx, orgId, stored, neverPause);
      note?.();
    }
  });
}

/** Throws the projection of the log away. Returns the log's size. */
export async function forget({ store, made }: Fixture): Promise<number> {
  const { orgId } = made.owner;
  const { size } = (await readHead(store.db, orgId)) ?? assert.fail('there is a log');
  await store.db.transaction().execute(async (tx) => {
    await clearRecords(tx, orgId);
    await setProjected(tx, orgId, { from: size, to: 0 });
  });
  return size;
}

/** Projects the log anew, in steps of so many entries. */
export async function projectBy(fixture: Fixture, step: number): Promise<void> {
  await projectSteps(fixture, { from: 0, to: await forget(fixture) }, step);
}

/** Runs them on one database. */
export function packTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test('calls in packs are found by all that finds rows, and are the same records', {
    skip,
  }, async (context) => {
    const one = await fixture(context);
    const calls = await writeCalls(one, 180);
    const middle = Date.parse(calls[90]?.intent.ts ?? '');
    const spans = [{ fromMs: middle }, { toMs: middle }, { fromMs: middle, toMs: middle + 1 }];
    const rows = await findings(one, calls, spans);
    assert.equal(await countOf(one, 'record_packs'), 0);
    assert.ok((await countOf(one, 'records')) > 180);
    for (const step of [40, 101, 1_000]) {
      await projectBy(one, step);
      assert.ok((await countOf(one, 'record_packs')) >= (step < 1_000 ? 3 : 1));
      assert.ok((await countOf(one, 'records')) < 100, 'what is in a pack is no row');
      assert.deepEqual(await findings(one, calls, spans), rows, `steps of ${step} entries`);
    }
    // What was compared is something: each filter but those for nobody finds some, and not all.
    const empty = rows.lists.flatMap((list, i) => (list.length === 0 ? [JSON.stringify(filters[i])] : []));
    assert.deepEqual(empty, [
      '{"actor":"other_000000000000000000000000r"}',
      '{"model":"smal"}',
      '{"label":"ssn"}',
      '{"decision":"deny"}',
      '{"event":"user.create"}',
    ]);
    assert.equal(rows.each.filter((row) => row === undefined).length, 0);
    assert.ok(rows.closed.size > 100 && rows.open.size > 5);
  });

  test('calls in packs of a log that was closed are found, each with a receipt of its log', {
    skip,
  }, async (context) => {
    const one = await fixture(context);
    const { owner } = one.made;
    const calls = await writeCalls(one, 60);
    await projectBy(one, 1_000);
    assert.equal(await countOf(one, 'record_packs'), 1);
    const before = await receiptsOf(one);
    const next = await continued(one);
    assert.deepEqual(await receiptsOf(next), before);
    for (const { intent } of calls) {
      const found = await findRecord(next.store.db, owner.orgId, intent.id);
      assert.deepEqual([found?.id, found?.status === null], [intent.id, false]);
    }
    const { principalId: actor } = owner;
    const own = await listAll(next.store, owner.orgId, { actor, type: 'model_call' });
    assert.equal(own.length, calls.filter(({ intent }) => intent.actor.id === actor).length);
  });

  test('calls in packs of one organization are nothing to another', { skip }, async (context) => {
    const one = await fixture(context);
    const { store } = one;
    const other = { store, made: await makeOrganization(store, 'other') };
    const { orgId } = other.made.owner;
    const calls = await writeCalls(one, 40);
    const own = new Set((await writeCalls(other, 40)).map(({ intent }) => intent.id));
    for (const each of [one, other]) {
      await projectBy(each, 1_000);
      assert.equal(await countOf(each, 'record_packs'), 1);
    }
    const ids = calls.map(({ intent }) => intent.id);
    const listed = await listRecords(store.db, orgId, { type: 'model_call' }, undefined, 100);
    assert.deepEqual(listed.map(({ id }) => id).toSorted(), [...own].toSorted());
    for (const { intent } of calls.slice(0, 3)) {
      assert.equal(await findRecord(store.db, orgId, intent.id), undefined);
      assert.equal(await findRecord(store.db, orgId, intent.req), undefined);
    }
    assert.deepEqual(await listClosed(store.db, orgId, ids), new Set());
    await store.db.transaction().execute((tx) => clearRecords(tx, orgId));
    assert.equal(await countOf(one, 'record_packs'), 1);
  });
}
