// Owns the claims about the checks of the logs in the store, on either database.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { makeEntryId, type OrgId } from '@countersign/core/ids';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { type LogsChecked, startLogChecks } from '@countersign/server/compose/log-checks';
import { recordCall } from '@countersign/server/control/sample-calls';
import type { SampleOrganization, SampleStore } from '@countersign/server/control/sample-organization';
import { advanceHead, type Head, readHead } from '@countersign/server/stores/heads';
import { listRecords } from '@countersign/server/stores/records';

type Fixture = { readonly store: SampleStore; readonly made: SampleOrganization };

async function headOf(store: SampleStore, orgId: OrgId): Promise<Head> {
  const head = await readHead(store.db, orgId);
  assert.ok(head !== undefined);
  return head;
}

/** Lets the log grow by entries that are facts, all in one commit. */
async function grow({ store, made }: Fixture, by: number): Promise<void> {
  const { orgId } = made.owner;
  const intent = await recordCall(store, made.owner, { isOpen: true });
  const entries = Array.from({ length: by }, (_, n) =>
    Buffer.from(JSON.stringify({ ...intent, id: makeEntryId(n, randomBytes(10)) }), 'utf8'),
  );
  const versions = entries.map(() => -1);
  await store.committer.commit([
    { orgId, bundle: encodeBundle(entries), versions, sidecars: [], objects: [] },
  ]);
}

/** Checks that never end by themselves; `next` is what the next whole pass finds. */
function startChecks(context: TestContext, store: SampleStore) {
  const waiting: ((checked: LogsChecked) => void)[] = [];
  const errors: unknown[] = [];
  const checks = startLogChecks({
    ...store,
    newEntryId: () => makeEntryId(Date.now(), randomBytes(10)),
    now: Date.now,
    node: 'n',
    boot: 'b',
    logCheckMs: 20,
    onLogsChecked: (checked) => {
      for (const hear of waiting.splice(0)) hear(checked);
    },
    onError: (error) => void errors.push(error),
  });
  const once = () => new Promise<LogsChecked>((resolve) => void waiting.push(resolve));
  context.after(checks.stop);
  return {
    errors,
    stop: checks.stop,
    /** The pass under way may have begun before what the test has done. */
    next: async () => {
      await once();
      return once();
    },
  };
}

/** Changes one byte within the stored bytes of the bundle that holds an entry. */
async function alterEntry({ store, made }: Fixture, index: number): Promise<void> {
  const { orgId } = made.owner;
  const row = await store.db
    .selectFrom('entry_bundles')
    .select(['first_index', 'bytes'])
    .where('org_id', '=', orgId)
    .where('first_index', '<=', index)
    .orderBy('first_index', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  const bytes = new Uint8Array(row.bytes);
  const at = Buffer.from(bytes).indexOf('"allow"');
  assert.ok(at > 0, 'the bundle holds a call that was allowed');
  bytes.set(Buffer.from('"alloW"'), at);
  await store.db
    .updateTable('entry_bundles')
    .set({ bytes })
    .where('org_id', '=', orgId)
    .where('first_index', '=', row.first_index)
    .execute();
}

/** Runs them on one database. */
export function checkTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test('a log that was changed in the store is found by the next pass, and leaves one alert', {
    skip,
  }, async (context) => {
    const made = await fixture(context);
    const { store } = made;
    const { orgId } = made.made.owner;
    await grow(made, 600);
    const head = await headOf(store, orgId);
    const checks = startChecks(context, store);
    const before = await checks.next();
    assert.deepEqual(before.findings, []);
    assert.ok(before.isWhole && before.entries >= head.size, 'every entry was looked at');
    await alterEntry(made, head.size - 1);
    const found = await checks.next();
    const [finding] = found.findings;
    assert.equal(found.findings.length, 1);
    assert.equal(finding?.origin, head.origin);
    assert.equal(finding?.finding, 'entry_altered');
    assert.ok(finding?.index !== undefined && finding.index >= head.size - 600);
    assert.equal((await checks.next()).findings.length, 1, 'it stays found');
    await checks.stop();
    assert.deepEqual(checks.errors, []);
    await store.projector.drain(orgId);
    const alerts = await listRecords(store.db, orgId, { type: 'alert' }, undefined, 10);
    assert.deepEqual(
      alerts.map(({ event }) => event),
      ['log_altered'],
    );
    const detail: unknown = JSON.parse(alerts[0]?.detail ?? '');
    assert.deepEqual(Object(detail).alert, {
      kind: 'log_altered',
      origin: head.origin,
      finding: 'entry_altered',
      index: finding.index,
    });
  });

  test('a log that was set back to an older state of itself is not what the pass before has seen', {
    skip,
  }, async (context) => {
    const made = await fixture(context);
    const { store } = made;
    const { orgId } = made.made.owner;
    const older = await headOf(store, orgId);
    await grow(made, 10);
    const checks = startChecks(context, store);
    assert.deepEqual((await checks.next()).findings, []);
    const newer = await headOf(store, orgId);
    await store.db.transaction().execute((tx) => advanceHead(tx, orgId, newer, older));
    const { findings, isWhole } = await checks.next();
    assert.deepEqual(
      findings.map(({ finding, index }) => ({ finding, index })),
      [{ finding: 'rolled_back', index: older.size }],
    );
    assert.equal(isWhole, true, 'the others are checked, though this one takes no alert');
    await store.db
      .deleteFrom('entry_bundles')
      .where('org_id', '=', orgId)
      .where('first_index', '>=', older.size)
      .execute();
    for (let pass = 0; pass < 4; pass += 1) await checks.next();
    await checks.stop();
    assert.equal((await headOf(store, orgId)).size, older.size, 'nothing is signed behind it');
  });

  test('entries that are gone are found', { skip }, async (context) => {
    const made = await fixture(context);
    const { store } = made;
    const { orgId } = made.made.owner;
    await grow(made, 300);
    await store.db.deleteFrom('entry_bundles').where('org_id', '=', orgId).execute();
    const { findings } = await startChecks(context, store).next();
    assert.deepEqual(
      findings.map(({ finding }) => finding),
      ['file_missing'],
    );
  });

  test('a store that fails says nothing of a log', { skip }, async (context) => {
    const made = await fixture(context);
    const { store } = made;
    await grow(made, 300);
    await store.db.schema.alterTable('tiles').renameTo('tiles_elsewhere').execute();
    const checks = startChecks(context, store);
    const failed = await checks.next();
    assert.deepEqual([failed.isWhole, failed.findings], [false, []]);
    assert.ok(checks.errors.length > 0, 'it is told as what it is');
    await store.db.schema.alterTable('tiles_elsewhere').renameTo('tiles').execute();
    assert.equal((await checks.next()).isWhole, true);
  });
}
