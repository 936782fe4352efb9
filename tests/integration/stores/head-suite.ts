// Owns the claims about heads that somebody changes in the store while a process commits to it, on either database.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { makeEntryId, makeId, type OrgId } from '@countersign/core/ids';
import { decodeEntry, encodeEntry } from '@countersign/core/ledger/entry';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { createAlteredHeads } from '@countersign/server/compose/altered-heads';
import type { LogFinding } from '@countersign/server/compose/log-alert';
import { callEntries } from '@countersign/server/control/sample-calls';
import type { SampleOrganization, SampleStore } from '@countersign/server/control/sample-organization';
import { createCommitter } from '@countersign/server/services/ledger/committer';
import { readEntries } from '@countersign/server/services/ledger/read-tiles';
import { type Head, readHead } from '@countersign/server/stores/heads';

type Fixture = { readonly store: SampleStore; readonly made: SampleOrganization };

async function headOf(store: SampleStore, orgId: OrgId): Promise<Head> {
  const head = await readHead(store.db, orgId);
  assert.ok(head !== undefined);
  return head;
}

/** Sets columns of a head, whoever may: an edit of the database. */
async function setHead(store: SampleStore, orgId: OrgId, head: Partial<Head>): Promise<void> {
  const { verifierKey, ...columns } = head;
  const set = { ...columns, ...(verifierKey === undefined ? {} : { verifier_key: verifierKey }) };
  await store.db.updateTable('heads').set(set).where('org_id', '=', orgId).execute();
}

/** A process over the store, with a log of its installation, and what it says of heads. */
async function startProcess({ store, made }: Fixture) {
  const { db, sealer, locksRows } = store;
  const { orgId } = made.owner;
  const told: (readonly LogFinding[])[] = [];
  const published: string[] = [];
  const heads = createAlteredHeads((found) => void told.push(found));
  const committer = createCommitter({
    db,
    locksRows,
    sealer,
    now: store.deps.now,
    onCheckpoint: (_orgId, checkpoint) => void published.push(checkpoint),
    onAltered: heads.note,
  });
  const installationId = makeId('org', Date.now(), randomBytes(10));
  const log = { kind: 'installation', origin: `ledger.example/${installationId}` } as const;
  const { origin } = await headOf(store, orgId);
  const entry = (version: number): Uint8Array =>
    Buffer.from(encodeEntry(callEntries(store, made.owner, { origin, version }).outcome), 'utf8');
  await committer.withNewLog(installationId, log, (_tx, opened) => opened.append([entry(0)], 0));
  return {
    installationId,
    committer,
    told,
    published,
    /** A call's entry, which holds under any version. */
    commit: () =>
      committer.commit([
        { orgId, bundle: encodeBundle([entry(1)]), versions: [-1], sidecars: [], objects: [] },
      ]),
    /** What a command does. */
    change: () => committer.withLog(orgId, (_tx, { head, append }) => append([entry(1)], head.version + 1)),
    settle: () =>
      heads.settle({
        committer,
        installationId,
        newEntryId: () => makeEntryId(Date.now(), randomBytes(10)),
        now: Date.now,
        node: 'n',
        boot: 'b',
      }),
  };
}

/** The same, beside the store and the log that are looked at. */
async function started(both: Fixture) {
  return { store: both.store, orgId: both.made.owner.orgId, process: await startProcess(both) };
}

/** The alerts in a log, as what each is about and what was found. */
async function alertsIn(store: SampleStore, orgId: OrgId): Promise<readonly unknown[]> {
  const { size } = await headOf(store, orgId);
  const entries = await readEntries(store.db, orgId, 0, size);
  return entries.flatMap((bytes) => {
    const read = decodeEntry(Buffer.from(bytes).toString('utf8'));
    assert.ok(read.ok);
    return read.entry.type === 'alert' ? [read.entry.alert] : [];
  });
}

type Edit = { readonly name: string; readonly to: (now: Head, older: Head) => Partial<Head> };

const edits: readonly Edit[] = [
  { name: 'a smaller version', to: ({ version }) => ({ version: version - 1 }) },
  { name: 'a larger version', to: ({ version }) => ({ version: version + 1 }) },
  { name: 'a smaller size', to: ({ size }) => ({ size: size - 1 }) },
  { name: 'a larger size', to: ({ size }) => ({ size: size + 1 }) },
  { name: 'another frontier', to: ({ frontier }) => ({ frontier: frontier.map((byte) => byte ^ 1) }) },
  { name: 'a frontier without its last byte', to: ({ frontier }) => ({ frontier: frontier.slice(0, -1) }) },
  { name: 'an older checkpoint', to: (_now, { checkpoint }) => ({ checkpoint }) },
  { name: 'a checkpoint that is none', to: () => ({ checkpoint: '' }) },
  { name: 'another name', to: ({ origin }) => ({ origin: `${origin}/2` }) },
  { name: 'another verifier key', to: ({ verifierKey }) => ({ verifierKey: `${verifierKey}x` }) },
  { name: 'an older head, whole', to: (_now, older) => older },
  {
    name: 'an older head under the version of now',
    to: ({ version }, older) => ({ ...older, version }),
  },
];

/** Runs them on one database. */
export function headTests(fixture: (context: TestContext) => Promise<Fixture>, skip: false | string): void {
  test('whatever is changed in a head while a process commits to its log, nothing is signed after it, and it is told', {
    skip,
  }, async (context) => {
    const { store, orgId, process } = await started(await fixture(context));
    for (const { name, to } of edits) {
      await process.commit();
      const older = await headOf(store, orgId);
      await process.change();
      const now = await headOf(store, orgId);
      const [signed, told] = [process.published.length, process.told.length];
      await setHead(store, orgId, to(now, older));
      const edited = await headOf(store, orgId);
      for (const attempt of [process.commit, process.change, process.commit])
        await assert.rejects(attempt(), { code: 'ledger_unavailable' }, name);
      assert.equal(process.published.length, signed, name);
      assert.deepEqual(await headOf(store, orgId), edited, name);
      assert.deepEqual(
        process.told.slice(told),
        [[{ origin: now.origin, finding: 'head_altered', index: undefined }]],
        name,
      );
      await process.settle();
      await process.settle();
      assert.deepEqual(await headOf(store, orgId), edited, 'not even the alert');
      const alert = { kind: 'log_altered', origin: now.origin, finding: 'head_altered' };
      assert.deepEqual((await alertsIn(store, process.installationId)).at(-1), alert, 'it is in another log');
      // Whoever puts back what was there ends it.
      await setHead(store, orgId, now);
      const before = (await alertsIn(store, orgId)).length;
      await process.settle();
      assert.deepEqual(process.told.at(-1), [], name);
      assert.deepEqual((await alertsIn(store, orgId)).slice(before), [alert], 'and in its own, once');
      await process.settle();
      assert.equal((await headOf(store, orgId)).size, now.size + 1);
    }
    assert.equal((await alertsIn(store, process.installationId)).length, edits.length);
  });

  test('a head that is deleted while a process commits to its log is told of as one that was changed', {
    skip,
  }, async (context) => {
    const { store, orgId, process } = await started(await fixture(context));
    await process.commit();
    const row = await store.db.selectFrom('heads').selectAll().where('org_id', '=', orgId).executeTakeFirst();
    assert.ok(row !== undefined);
    await store.db.deleteFrom('heads').where('org_id', '=', orgId).execute();
    for (const attempt of [process.commit, process.change])
      await assert.rejects(attempt(), { code: 'ledger_unavailable' });
    const found = { origin: row.origin, finding: 'head_altered', index: undefined };
    assert.deepEqual(process.told, [[found]]);
    await store.db.insertInto('heads').values(row).execute();
    await process.settle();
    assert.deepEqual(process.told, [[found], []]);
    const never = makeId('org', Date.now(), randomBytes(10));
    await assert.rejects(
      process.committer.withLog(never, async () => {}),
      { code: 'not_found' },
    );
  });

  test('commits and changes that come at once refuse no head that one of them has left', {
    skip,
  }, async (context) => {
    const { store, orgId, process } = await started(await fixture(context));
    const { size } = await headOf(store, orgId);
    for (let round = 0; round < 20; round += 1) {
      const all = Array.from({ length: 12 }, (_, n) => (n % 3 === 0 ? process.change() : process.commit()));
      await Promise.all(all);
    }
    assert.equal((await headOf(store, orgId)).size, size + 240);
    assert.deepEqual(process.told, []);
  });

  test('a head that the log has not signed is told of at the first commit, too', {
    skip,
  }, async (context) => {
    const both = await fixture(context);
    const { store } = both;
    const { orgId } = both.made.owner;
    for (const { name, to } of edits) {
      const now = await headOf(store, orgId);
      const edit = to(now, now);
      if (Object.keys(edit).every((column) => column === 'version') || edit.checkpoint === now.checkpoint)
        continue;
      const process = await startProcess(both);
      await setHead(store, orgId, edit);
      await assert.rejects(process.change(), { code: 'ledger_unavailable' }, name);
      assert.equal(process.told.length, 1, name);
      await setHead(store, orgId, now);
      await process.settle();
      assert.deepEqual(process.told.at(-1), [], name);
    }
  });
}
