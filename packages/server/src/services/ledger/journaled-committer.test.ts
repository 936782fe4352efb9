// Owns the claims about commits on an embedded store: durable at once, in their places whatever comes between.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import { makeId } from '@countersign/core/ids';
import { encodeEntry } from '@countersign/core/ledger/entry';
import { decodeBundle, encodeBundle } from '@countersign/core/ledger/tile';
import { appendLeaves, createTreeHasher, emptyFrontier, frontierRoot } from '@countersign/core/ledger/tree';
import { sql } from 'kysely';
import { callEntries } from '../../control/sample-calls.ts';
import { makeOrganization, openSampleStore } from '../../control/sample-organization.ts';
import { openJournal } from '../../platform/journal/journal.ts';
import { createBuilt } from '../../stores/built-statements.ts';
import { readBundles } from '../../stores/entries.ts';
import { readHead } from '../../stores/heads.ts';
import { insertJournal, readJournalPlace } from '../../stores/journal-places.ts';
import type { OrgBatch } from './batch.ts';
import type { Committer } from './committer.ts';
import { sha256 } from './crypto.ts';
import { createJournaledCommitter } from './journaled-committer.ts';
import { createProjection } from './projection.ts';
import { createProjector } from './projector.ts';

const journalId = new Uint8Array(16).fill(3);
const hasher = createTreeHasher(sha256);

/** A store with a journal, and processes over it that follow each other. */
async function makeBed(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner } = await makeOrganization(store, 'acme');
  const { orgId } = owner;
  await store.db.transaction().execute((tx) => insertJournal(tx, journalId));
  const folder = mkdtempSync(join(tmpdir(), 'countersign-journaled-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));

  /** What a process does when it starts, as far as the journal goes. The one before has died, whatever it was doing. */
  async function start(size = 256 * 1024): Promise<Committer> {
    const known = (await readJournalPlace(store.db)) ?? assert.fail('there is a journal');
    const journal = openJournal({ path: join(folder, 'journal'), ...known, size });
    context.after(journal.close);
    const { db, sealer, deps } = store;
    const projection = createProjection(createBuilt());
    const common = { db, sealer, now: deps.now, locksRows: false, onCheckpoint: () => {} };
    return createJournaledCommitter({ ...common, journal, journalId, projection });
  }

  const head = async () => (await readHead(store.db, orgId)) ?? assert.fail('there is a head');
  const { origin } = await head();

  /** A call's two entries: one decided under this version, one a fact. */
  function call(version: number): OrgBatch & { readonly texts: readonly string[] } {
    const { intent, outcome } = callEntries(store, owner, { origin, version });
    const texts = [intent, outcome].map((entry) => encodeEntry(entry));
    const bundle = encodeBundle(texts.map((text) => Buffer.from(text, 'utf8')));
    return { orgId, bundle, versions: [version, -1], sidecars: [], objects: [], texts };
  }

  /** Moves the version, as a command does. */
  function change(committer: Committer): Promise<number> {
    return committer.withLog(orgId, async (_tx, log) => {
      const version = log.head.version + 1;
      const { intent } = callEntries(store, owner, { origin, version });
      await new Promise((resolve) => setImmediate(resolve));
      await log.append([Buffer.from(encodeEntry(intent), 'utf8')], version);
      return version;
    });
  }

  /** All entries, when they have been found to be what the checkpoint is of. */
  async function entries(): Promise<readonly string[]> {
    const bundles = await readBundles(store.db, orgId, 0, 1_000_000, 100_000);
    const all = bundles.flatMap(({ bytes }) => decodeBundle(bytes).entries);
    const { size, checkpoint } = await head();
    assert.equal(all.length, size);
    const frontier = appendLeaves(
      hasher,
      emptyFrontier,
      all.map((entry) => hasher.leaf(entry)),
    );
    assert.ok(checkpoint.includes(Buffer.from(frontierRoot(hasher, frontier)).toString('base64')));
    return all.map((entry) => Buffer.from(entry).toString('utf8'));
  }

  return { store, owner, orgId, start, head, call, change, entries };
}

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
  const rows = await db.selectFrom('records').select('status').where('entry_index', '>=', size).execute();
  assert.equal(rows.length, 70);
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
  const before = committer.commit([bed.call(version)]);
  const changed = bed.change(committer);
  const during = committer.commit([bed.call(version)]);
  assert.deepEqual((await before)[0]?.indices, [size, size + 1]);
  assert.equal(await changed, version + 1);
  assert.deepEqual((await during)[0]?.indices, [-1, size + 3]);
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
  await assert.rejects(committer.commit([bed.call(version)]), /full/);
  await sql`drop trigger no_room`.execute(db);
  assert.deepEqual((await committer.commit([bed.call(version)]))[0]?.indices, [size + 2, size + 3]);
  await committer.settle();
  assert.equal((await bed.entries()).length, size + 4);
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

test('whatever is committed, changed, taken in and killed: each entry is where it was said to be', async (t) => {
  const bed = await makeBed(t);
  let committer = await bed.start(64 * 1024);
  let version = (await bed.head()).version;
  const promised = new Map<number, string>();
  const counts = { kept: 0, stale: 0, kills: 0, changes: 0 };

  async function commit(decided: number): Promise<void> {
    const batch = bed.call(decided);
    const [reply] = await committer.commit([batch]);
    for (const [i, index] of (reply?.indices ?? []).entries()) {
      if (index < 0) {
        counts.stale += 1;
        continue;
      }
      counts.kept += 1;
      assert.equal(promised.has(index), false, `place ${index} was given twice`);
      promised.set(index, batch.texts[i] ?? '');
    }
  }

  for (let round = 0; round < 60; round += 1) {
    const work: Promise<unknown>[] = [];
    for (let i = randomInt(12); i >= 0; i -= 1) work.push(commit(version - (randomInt(4) === 0 ? 1 : 0)));
    if (randomInt(3) === 0) {
      counts.changes += 1;
      work.push(
        bed.change(committer).then((changed) => {
          version = changed;
        }),
      );
    }
    if (randomInt(3) === 0) work.push(committer.settle());
    for (let i = randomInt(6); i > 0; i -= 1) work.push(commit(version));
    await Promise.all(work);
    if (randomInt(4) > 0) continue;
    counts.kills += 1;
    committer = await bed.start(64 * 1024);
    await committer.settle();
  }
  await committer.settle();
  const all = await bed.entries();
  for (const [index, text] of promised) assert.equal(all[index], text, `the entry at ${index}`);
  for (const [name, count] of Object.entries(counts)) assert.ok(count > 3, `${name}: ${count}`);
});
