// Owns the claims about commits on an embedded store: durable at once, in their places whatever comes between.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@countersign/core/errors';
import { makeId } from '@countersign/core/ids';
import { sql } from 'kysely';
import { callEntries } from '../../control/sample-calls.ts';
import { makeBed } from '../../control/sample-journal.ts';
import { readJournalPlace } from '../../stores/journal-places.ts';
import { listRecords } from '../../stores/records.ts';
import { createProjector } from './projector.ts';

test('a commit is durable before the database has it, and the next process takes it in', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  const [reply] = await committer.commit([bed.call(version)]);
  assert.deepEqual(reply?.indices, [size, size + 1]);
  assert.equal((await bed.head()).size, size, 'the database does not have it yet');
  await (await bed.start()).settle();
  assert.equal((await bed.entries()).length, size + 2);
  const { db } = bed.store;
  const rows = await db.selectFrom('records').select('status').where('entry_index', '=', size).execute();
  assert.deepEqual(rows, [], 'the log before it is not projected, so it waits for the projector');
  await createProjector(db).drain(bed.orgId);
  const drained = await db.selectFrom('records').select('status').where('entry_index', '=', size).execute();
  assert.deepEqual(drained, [{ status: 'ok' }]);
});

test('what is taken in is in the records with the same commit, where the log before it is', async (t) => {
  const bed = await makeBed(t);
  await createProjector(bed.store.db).drain(bed.orgId);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  for (let i = 0; i < 70; i += 1) await committer.commit([bed.call(version)]);
  await committer.settle();
  const { db } = bed.store;
  const rows = await listRecords(db, bed.orgId, { type: 'model_call' }, undefined, 100);
  assert.deepEqual([rows.length, rows.at(-1)?.entry_index], [70, size]);
  assert.ok(rows.every(({ status }) => status === 'ok'));
  const used = await db.selectFrom('usage_daily').select('requests').execute();
  assert.equal(
    used.reduce((sum, { requests }) => sum + requests, 0),
    70,
  );
});

test('an entry of an older version gets no place, and those beside it follow each other', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version } = await bed.head();
  await committer.commit([bed.call(version)]);
  assert.equal(await bed.change(committer), version + 1);
  const { size } = await bed.head();
  const late = bed.call(version);
  const [reply] = await committer.commit([late]);
  assert.deepEqual(reply, { orgId: bed.orgId, version: version + 1, indices: [-1, size] });
  await committer.settle();
  assert.equal((await bed.entries()).at(-1), late.texts[1]);
});

test('a command begins when all before it is in the database, and what comes meanwhile is held to its version', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  await committer.commit([bed.call(version)]);
  const before = committer.commit([bed.call(version)]);
  // It is on its way to the disk.
  await Promise.resolve();
  const changed = bed.change(committer);
  const during = committer.commit([bed.call(version)]);
  assert.deepEqual((await before)[0]?.indices, [size + 2, size + 3]);
  assert.equal(await changed, version + 1);
  assert.deepEqual((await during)[0]?.indices, [-1, size + 5]);
});

test('a batch that is too large for a frame goes into the database at once', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start(4 * 1024 * 1024);
  const { version, size } = await bed.head();
  const batch = bed.call(version);
  const value = {
    entryId: callEntries(bed.store, bed.owner, { origin: 'o', version }).intent.id,
    purpose: 'request',
    subjectId: bed.owner.principalId,
    sealed: new Uint8Array(2 * 1024 * 1024),
  };
  await committer.commit([bed.call(version)]);
  const [reply] = await committer.commit([{ ...batch, sidecars: [{ position: 0, value }] }]);
  assert.deepEqual(reply?.indices, [size + 2, size + 3]);
  assert.equal((await bed.head()).size, size + 4);
  assert.deepEqual((await committer.commit([bed.call(version)]))[0]?.indices, [size + 4, size + 5]);
  await (await bed.start()).settle();
  assert.equal((await bed.entries()).length, size + 6);
});

test('sealed content goes from the journal into the database as it is, in this process and in the next one', async (t) => {
  const bed = await makeBed(t);
  const { version } = await bed.head();
  const { principalId: subjectId } = bed.owner;
  const contents = [1, 2].map((n) => Buffer.alloc(5_000, n));
  const committer = await bed.start();
  for (const [n, sealed] of contents.entries()) {
    const { intent } = callEntries(bed.store, bed.owner, { origin: `${n}`, version });
    const value = { entryId: intent.id, purpose: `request ${n}`, subjectId, sealed };
    await committer.commit([{ ...bed.call(version), sidecars: [{ position: 0, value }] }]);
    await (n === 0 ? committer : await bed.start()).settle();
  }
  const rows = await bed.store.db.selectFrom('sidecars').select('sealed').orderBy('purpose').execute();
  assert.deepEqual(
    rows.map(({ sealed }) => Buffer.from(sealed)),
    contents,
  );
});

test('an id that the provider gave out is there when its call is answered', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version } = await bed.head();
  const { outcome } = callEntries(bed.store, bed.owner, { origin: 'o', version });
  const made = <K extends 'provider' | 'model'>(kind: K) =>
    makeId(kind, 1_800_000_000_000, new Uint8Array(10));
  const value = {
    providerId: made('provider'),
    modelId: made('model'),
    externalId: 'resp_1',
    kind: 'response',
    ownerId: bed.owner.principalId,
    workspaceId: bed.owner.workspaceId,
    entryId: outcome.id,
  };
  await committer.commit([{ ...bed.call(version), objects: [{ position: 1, value }] }]);
  const rows = await bed.store.db.selectFrom('provider_objects').select('external_id').execute();
  assert.deepEqual(rows, [{ external_id: 'resp_1' }]);
});

test('a database that cannot take entries in refuses the next ones, keeps the former, and heals', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  const { db } = bed.store;
  await committer.commit([bed.call(version)]);
  await sql`create trigger no_room before insert on entry_bundles begin select raise(abort, 'full'); end`.execute(
    db,
  );
  await assert.rejects(committer.settle(), /full/);
  // Until the other thread has heard of it, entries go into the journal, where they are as durable as before.
  await sleep(20);
  await assert.rejects(committer.commit([bed.call(version)]), /full/);
  await assert.rejects(bed.change(committer), /full/, 'and whoever moves a head is refused, and moves none');
  await sql`drop trigger no_room`.execute(db);
  assert.deepEqual((await committer.commit([bed.call(version)]))[0]?.indices, [size + 2, size + 3]);
  await committer.settle();
  assert.equal((await bed.entries()).length, size + 4);
});

test('after a change whose commit the disk has failed, the next entries go past what it may have left', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  const before = await readJournalPlace(bed.store.db);
  const failing = committer.withLog(bed.orgId, () =>
    Promise.reject(new AppError('storage_unavailable', 'the disk has failed the sync of a commit')),
  );
  await assert.rejects(failing, { code: 'storage_unavailable' });
  assert.deepEqual((await committer.commit([bed.call(version)]))[0]?.indices, [size, size + 1]);
  assert.equal((await bed.head()).size, size + 2, 'in the database, over what the failed commit wrote there');
  const after = await readJournalPlace(bed.store.db);
  assert.equal(after?.place.sequence, (before?.place.sequence ?? 0) + 1, 'and its number is given up');
  await committer.commit([bed.call(version)]);
  assert.equal((await bed.head()).size, size + 2, 'then the journal is used again');
});

test('what no database would take is refused before it is in the journal, and harms nothing else', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  const { intent } = callEntries(bed.store, bed.owner, { origin: 'o', version });
  const { principalId: subjectId } = bed.owner;
  for (const purpose of ['a\u0000', '\ud800']) {
    const value = { entryId: intent.id, purpose, subjectId, sealed: new Uint8Array(3) };
    const batch = { ...bed.call(version), sidecars: [{ position: 0, value }] };
    await assert.rejects(committer.commit([batch]), { code: 'invalid_request' });
  }
  assert.deepEqual((await committer.commit([bed.call(version)]))[0]?.indices, [size, size + 1]);
  await committer.settle();
  assert.equal((await bed.entries()).length, size + 2);
});

test('records that cannot be written keep no entry from the log', async (t) => {
  const bed = await makeBed(t);
  await createProjector(bed.store.db).drain(bed.orgId);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  const { db } = bed.store;
  await sql`create trigger no_records before insert on records begin select raise(abort, 'no'); end`.execute(
    db,
  );
  await committer.commit([bed.call(version)]);
  await committer.settle();
  assert.equal((await bed.entries()).length, size + 2);
  await sql`drop trigger no_records`.execute(db);
  await createProjector(db).drain(bed.orgId);
  const rows = await db.selectFrom('records').select('status').where('entry_index', '=', size).execute();
  assert.deepEqual(rows, [{ status: 'ok' }]);
});

test('entries that were promised other places than the log has are refused, and nothing is taken in', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  await committer.commit([bed.call(version)]);
  // Somebody writes past the journal, as a second process on the same files would.
  await bed.change(bed.store.committer);
  await assert.rejects(committer.settle(), (error) => error instanceof AppError && error.code === 'internal');
  assert.equal((await bed.head()).size, size + 1);
});

test('a commit comes through between changes that follow each other without a pause', {
  timeout: 10_000,
}, async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version } = await bed.head();
  await committer.commit([bed.call(version)]);
  let changes = 0;
  let isOver = false;
  const changing = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      await bed.change(committer);
      changes += 1;
    }
  });
  const before = changes;
  await committer.commit([bed.call(version)]);
  isOver = true;
  const meanwhile = changes - before;
  await Promise.all(changing);
  assert.ok(meanwhile < 40, `${meanwhile} changes went before it`);
});

test('after the end nothing is acknowledged, whatever was under way, and who moves heads asks nobody', async (t) => {
  const bed = await makeBed(t);
  const committer = await bed.start();
  const { version, size } = await bed.head();
  await committer.commit([bed.call(version)]);
  const { promise: underWay, resolve: finish } = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const changed = committer.withLog(bed.orgId, () => {
    began.resolve();
    return underWay;
  });
  await began.promise;
  const waiting = committer.commit([bed.call(version)]);
  const refused = assert.rejects(waiting, { code: 'shutting_down' });
  await committer.end();
  finish();
  await changed;
  await refused;
  // Whatever the change has sent at its end arrives.
  await sleep(20);
  await assert.rejects(committer.commit([bed.call(version)]), { code: 'shutting_down' });
  assert.equal(await bed.change(committer), version + 1);
  assert.equal((await bed.entries()).length, size + 3);
});
