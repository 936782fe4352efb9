// Owns the claims about how one actor's records are found, on either database.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { makeEntryId } from '@countersign/core/ids';
import { encodeEntry } from '@countersign/core/ledger/entry';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { callEntries, recordCall } from '@countersign/server/control/sample-calls';
import {
  makeOrganization,
  type SampleOrganization,
  type SampleStore,
} from '@countersign/server/control/sample-organization';
import { readHead, readProgress, setProjected } from '@countersign/server/stores/heads';
import { describeBlock, type Span, spansOf } from '@countersign/server/stores/record-blocks';
import { insertRecords, listRecords } from '@countersign/server/stores/records';
import type { RecordRow } from '@countersign/server/stores/schema';
import { readUsage } from '@countersign/server/stores/usage';

type Fixture = { readonly store: SampleStore; readonly made: SampleOrganization };

function sampleRow(index: number, actorId: string): RecordRow {
  return {
    entry_index: index,
    outcome_index: null,
    id: `entry-${index}`,
    request_id: null,
    at: index,
    type: 'model_call',
    event: null,
    actor_id: actorId,
    workspace_id: null,
    application_id: null,
    model: null,
    decision: 'allow',
    labels: null,
    status: 'ok',
    boot: null,
    detail: '{}',
    outcome: null,
  };
}

/** Runs them on one database. */
export function blockTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test("an actor's records are all found, page by page, through blocks that were described and the rest", {
    skip,
  }, async (context) => {
    const { store, made } = await fixture(context);
    const { orgId } = made.owner;
    const rare = new Set([3, 300, 301, 998]);
    const actorOf = (n: number) => (rare.has(n) ? 'user_rare' : `user_busy${n % 5}`);
    const rows = Array.from({ length: 1_000 }, (_, n) => sampleRow(10 + 2 * n, actorOf(n)));
    let described = 0;
    await store.db.transaction().execute(async (tx) => {
      await insertRecords(tx, orgId, rows);
      while (await describeBlock(tx, orgId)) described += 1;
      // What is not projected yet is on no page.
      const from = (await readProgress(tx, orgId))?.projected ?? assert.fail('there is a log');
      await setProjected(tx, orgId, { from, to: 10 + 2 * rows.length });
    });
    assert.equal(described, 3);
    for (const actor of ['user_rare', 'user_busy2', 'user_none', 'busy2']) {
      const expected = rows.filter((row) => row.actor_id === actor).map((row) => row.entry_index);
      const found: number[] = [];
      for (let before: number | undefined; ; before = found.at(-1)) {
        const page = await listRecords(store.db, orgId, { actor }, before, 7);
        found.push(...page.slice(0, 7).map((row) => row.entry_index));
        if (page.length <= 7) break;
      }
      assert.deepEqual(found, expected.reverse(), actor);
    }
    const other = await makeOrganization(store, 'other');
    assert.deepEqual(
      await listRecords(store.db, other.owner.orgId, { actor: 'user_rare' }, undefined, 7),
      [],
    );
  });

  test('the projector describes a block when enough records are there, also after it was begun anew', {
    skip,
  }, async (context) => {
    const { store, made } = await fixture(context);
    const { orgId } = made.owner;
    const head = await readHead(store.db, orgId);
    assert.ok(head !== undefined);
    const intent = await recordCall(store, made.owner, { isOpen: true });
    const commitMore = async (count: number): Promise<void> => {
      const texts = Array.from({ length: count }, (_, n) => ({
        ...intent,
        log: head.origin,
        id: makeEntryId(n, randomBytes(10)),
      }));
      const bundle = encodeBundle(texts.map((entry) => Buffer.from(JSON.stringify(entry), 'utf8')));
      const versions = texts.map(() => -1);
      await store.committer.commit([{ orgId, bundle, versions, sidecars: [], objects: [] }]);
    };
    await commitMore(600);
    const count = async () => {
      const spans: Span[] = [];
      for await (const span of spansOf(store.db, orgId, made.owner.principalId, 10_000)) spans.push(span);
      return spans;
    };
    for (const again of [false, true]) {
      if (again) await store.projector.rebuild(orgId);
      else await store.projector.drain(orgId);
      const spans = await count();
      assert.equal(spans.length, 3, JSON.stringify(spans));
      assert.deepEqual([spans.at(-1)?.first, spans.at(-1)?.end], [0, 256]);
    }
    // What the projector remembers since is described as what it reads is: block joins block, 256 records each.
    for (const more of [100, 1, 300, 200]) {
      await commitMore(more);
      await store.projector.drain(orgId);
    }
    const remembered = await count();
    await store.projector.rebuild(orgId);
    assert.deepEqual(remembered, await count());
    assert.equal(remembered.length, 5);
  });

  test('records and usage are the same however the log is cut into steps', { skip }, async (context) => {
    const { store, made } = await fixture(context);
    const { orgId } = made.owner;
    const head = await readHead(store.db, orgId);
    assert.ok(head !== undefined);
    const commit = (entries: readonly Parameters<typeof encodeEntry>[0][]) =>
      store.committer.commit([
        {
          orgId,
          bundle: encodeBundle(entries.map((entry) => Buffer.from(encodeEntry(entry), 'utf8'))),
          versions: entries.map(() => -1),
          sidecars: [],
          objects: [],
        },
      ]);
    const calls = Array.from({ length: 40 }, () => callEntries(store, made.owner, head));
    const late: (typeof calls)[number]['outcome'][] = [];
    for (const [n, { intent, outcome }] of calls.entries()) {
      // Some end at once, some after others have begun, some never, some are refused, which is their end.
      if (n % 4 === 0) await commit([intent, outcome]);
      else await commit([n % 4 === 3 ? { ...intent, status: 'denied' } : intent]);
      if (n % 4 === 1) late.push(outcome);
      if (n % 7 === 0) await commit(late.splice(0));
      await store.projector.drain(orgId);
    }
    const kept = async () => ({
      records: await listRecords(store.db, orgId, {}, undefined, 1_000),
      usage: await readUsage(store.db, orgId, { fromDay: 0, toDay: 1_000_000 }),
    });
    const stepwise = await kept();
    await store.projector.rebuild(orgId);
    const atOnce = await kept();
    assert.deepEqual(atOnce, stepwise);
    const statuses = atOnce.records.filter(({ type }) => type === 'model_call').map(({ status }) => status);
    assert.deepEqual(new Set(statuses), new Set(['ok', 'denied', null]));
  });
}
