// Owns the claims about reading packs while the log goes on, from a log that lost something, and beside other questions.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { query } from '@countersign/server/control/sample-organization';
import { readHead } from '@countersign/server/stores/heads';
import { findRecord, listClosed, listRecords } from '@countersign/server/stores/records';
import type { KyselyPlugin } from 'kysely';
import {
  commit,
  countOf,
  type Fixture,
  forget,
  listAll,
  projectBy,
  projectSteps,
  sampleCall,
  writeCalls,
} from './pack-suite.ts';

/** Hears of each statement that names this table, before its answer is given. */
function hearing(table: string, hear: () => Promise<void> | void): KyselyPlugin {
  const heard = new WeakSet<object>();
  return {
    transformQuery({ node, queryId }) {
      if (JSON.stringify(node).includes(`"${table}"`)) heard.add(queryId);
      return node;
    },
    async transformResult({ result, queryId }) {
      if (heard.has(queryId)) await hear();
      return result;
    },
  };
}

function concurrentTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test('a page that is asked for while the projection goes on hides nothing from the pages behind it', {
    skip,
  }, async (context) => {
    const one = await fixture(context);
    const { store, made } = one;
    await writeCalls(one, 120);
    const size = await forget(one);
    await projectSteps(one, { from: 0, to: 100 }, 50);
    let isOn = false;
    const goOn = async (): Promise<void> => {
      if (isOn) return;
      isOn = true;
      await projectSteps(one, { from: 100, to: size }, 1_000);
    };
    const db = store.db.withPlugin(hearing('records', goOn));
    const shown = await listAll({ ...store, db }, made.owner.orgId, {});
    assert.ok(isOn);
    const all = await listAll(store, made.owner.orgId, {});
    const newest = all.findIndex(({ id }) => id === shown[0]?.id);
    assert.deepEqual(
      shown.map(({ id }) => id),
      all.slice(newest).map(({ id }) => id),
    );
  });

  test('others have a turn between two packs that a question reads', { skip }, async (context) => {
    const one = await fixture(context);
    const { store, made } = one;
    await writeCalls(one, 160);
    await projectBy(one, 40);
    const packs = await countOf(one, 'record_packs');
    assert.ok(packs >= 5);
    let isAnswered = false;
    // Each pack has calls of both, and no call is.
    const answer = listRecords(
      store.db,
      made.owner.orgId,
      { label: 'us_ssn', costCentre: 'cc "1"' },
      undefined,
      5,
    ).finally(() => {
      isAnswered = true;
    });
    let turns = 0;
    for (; !isAnswered; turns += 1) await nextTurn();
    assert.deepEqual(await answer, []);
    assert.ok(turns >= packs, `${turns} turns for ${packs} packs`);
  });
}

function readingTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test('where the log has lost a bundle, no record is shown of entries that are not its own', {
    skip,
  }, async (context) => {
    const one = await fixture(context);
    const { store, made } = one;
    const { orgId } = made.owner;
    const calls = await writeCalls(one, 60);
    const head = (await readHead(store.db, orgId)) ?? assert.fail('there is a log');
    // More entries behind the last call, as many as are lost: none seems to lack.
    const [last, ...waiting] = [0, 1, 2, 3].map((n) => sampleCall(one, head, n));
    assert.ok(last !== undefined);
    await commit(one, [last.intent, last.outcome, ...waiting.map(({ intent }) => intent)]);
    await store.projector.drain(orgId);
    await projectBy(one, 1_000);
    const rows = await listRecords(store.db, orgId, {}, 60, 100);
    const row =
      rows.find((call) => call.outcome_index === call.entry_index + 1) ?? assert.fail('one is whole');
    await store.db
      .deleteFrom('entry_bundles')
      .where('org_id', '=', orgId)
      .where('first_index', '=', row.entry_index)
      .execute();
    const lost = { code: 'ledger_unavailable', message: /keep the store as it is/ };
    const { id } =
      calls.findLast((_call, n) => n % 11 !== 3 && n % 13 !== 4 && n % 9 !== 5)?.intent ?? assert.fail();
    await assert.rejects(findRecord(store.db, orgId, id), lost);
    await assert.rejects(listRecords(store.db, orgId, {}, undefined, 100), lost);
    // An entry that is no JSON any more is told alike.
    const bytes = Buffer.alloc(2_000, '{');
    await store.db
      .updateTable('entry_bundles')
      .set({ bytes: encodeBundle([bytes, bytes]) })
      .where('org_id', '=', orgId)
      .where('entry_count', '=', 2)
      .execute();
    await assert.rejects(listRecords(store.db, orgId, {}, 30, 100), lost);
  });

  test('which of a few intents have ended is read from the packs that may hold them alone', {
    skip,
  }, async (context) => {
    const one = await fixture(context);
    const { store, made } = one;
    const calls = await writeCalls(one, 160);
    await projectBy(one, 40);
    const ids = [calls[0], calls[156]].map((call) => call?.intent.id ?? '');
    let bundles = 0;
    const db = store.db.withPlugin(
      hearing('entry_bundles', () => {
        bundles += 1;
      }),
    );
    assert.deepEqual(await listClosed(db, made.owner.orgId, ids), new Set(ids));
    assert.ok(bundles > 0 && bundles <= 4, `${bundles} statements read entries`);
  });

  test('any text that a team is asked for by is answered', { skip }, async (context) => {
    const { store, made } = await fixture(context);
    for (const team of ['\0', 'a\nb', '"', '\\', '😀1234567', '\ud800'])
      assert.deepEqual(await query(store, made.owner, 'record.list', { query: { team } }), { items: [] });
  });

  test('a key was last used when its newest call came, though an older one still waits', {
    skip,
  }, async (context) => {
    const one = await fixture(context);
    const { store, made } = one;
    const { orgId } = made.owner;
    const head = (await readHead(store.db, orgId)) ?? assert.fail('there is a log');
    const [older, newer] = [10, 11].map((minute) => {
      const { intent, outcome } = sampleCall(one, head, 1);
      const more = {
        ts: `2026-11-28T20:${minute}:30.000Z`,
        actor: { ...intent.actor, cred: 'key_00000000000000000000000000' },
      };
      return { intent: { ...intent, ...more }, outcome: { ...outcome, ...more } };
    });
    assert.ok(older !== undefined && newer !== undefined);
    await commit(one, [older.intent, newer.intent, newer.outcome]);
    await store.projector.drain(orgId);
    const uses = await store.db
      .selectFrom('key_uses')
      .select('last_used_at')
      .where('org_id', '=', orgId)
      .execute();
    assert.deepEqual(uses, [{ last_used_at: Date.parse('2026-11-28T20:11:00.000Z') }]);
  });
}

/** Runs them on one database. */
export function packReadingTests(
  fixture: (context: TestContext) => Promise<Fixture>,
  skip: false | string,
): void {
  concurrentTests(fixture, skip);
  readingTests(fixture, skip);
}
