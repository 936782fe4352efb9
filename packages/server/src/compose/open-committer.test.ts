// Owns the claims about a start on an embedded store: what the former run left is taken in, and then never read again.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeEntry } from '@countersign/core/ledger/entry';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { callEntries } from '../control/sample-calls.ts';
import { makeOrganization, openSampleStore } from '../control/sample-organization.ts';
import { joinJournal } from '../platform/journal/journal.ts';
import { createJournalCommit } from '../services/ledger/journal-commit.ts';
import { readHead } from '../stores/heads.ts';
import { readJournalPlace } from '../stores/journal-places.ts';
import { openCommitter } from './open-committer.ts';

async function makeStore(context: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-open-'));
  const storage = { kind: 'sqlite', directory } as const;
  const store = await openSampleStore(context, storage);
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  const { owner } = await makeOrganization(store, 'acme');
  const losses: string[] = [];
  const head = async () => (await readHead(store.db, owner.orgId)) ?? assert.fail('there is a head');
  const { origin, version } = await head();

  async function start() {
    const open = await openCommitter(
      {
        storage,
        masterKeys: [store.masterKey],
      },
      { db: store.db, dialect: 'sqlite', check: async () => {}, close: async () => {} },
      (count) => crypto.getRandomValues(new Uint8Array(count)),
      () => {},
      (text) => losses.push(text),
      { appender: { hold: async () => {}, resume: () => {} }, onFollowing: () => {}, onAltered: () => {} },
    );
    context.after(open.close);
    const { seat, committer } = open.journaled ?? assert.fail('an embedded store has a journal');
    const journal = joinJournal(seat);
    context.after(journal.close);
    const commits = createJournalCommit({ journal, follower: committer });
    commits.resume([]);
    return commits;
  }

  function call() {
    const { intent } = callEntries(store, owner, { origin, version });
    const bundle = encodeBundle([Buffer.from(encodeEntry(intent), 'utf8')]);
    return { orgId: owner.orgId, bundle, versions: [version], sidecars: [], objects: [] };
  }

  const journal = async () => (await readJournalPlace(store.db)) ?? assert.fail('there is a journal');
  return { directory, start, call, head, journal, losses };
}

test('a start takes in what the former run left, and writes under an id of its own from then on', async (t) => {
  const store = await makeStore(t);
  const { size } = await store.head();
  const first = await store.start();
  await first.commit([store.call()]);
  const { id } = await store.journal();
  // The first one is killed here.
  const second = await store.start();
  assert.equal((await store.head()).size, size + 1);
  const journal = await store.journal();
  assert.notDeepEqual(journal.id, id);
  assert.deepEqual(journal.place, { sequence: 1, offset: 0 });
  await second.commit([store.call()]);
  await store.start();
  assert.equal(
    (await store.head()).size,
    size + 2,
    'a frame of the same number of the run before is not taken',
  );
  assert.deepEqual(store.losses, []);
});

test('a start without the journal that the database knows goes on, and says what may be lost', async (t) => {
  const store = await makeStore(t);
  await (await store.start()).commit([store.call()]);
  rmSync(join(store.directory, 'countersign.journal'));
  await (await store.start()).commit([store.call()]);
  assert.equal(store.losses.length, 1);
  assert.match(store.losses[0] ?? '', /countersign\.journal` is not there/);
});

test('a start that finds the last frame damaged drops it, and says which and what it held', async (t) => {
  const store = await makeStore(t);
  const { size } = await store.head();
  const commits = await store.start();
  await commits.commit([store.call()]);
  await commits.commit([store.call()]);
  const path = join(store.directory, 'countersign.journal');
  const bytes = readFileSync(path);
  // In the payload of the second frame, which somebody was answered for.
  bytes[4_096 + 200] = (bytes[4_096 + 200] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  await store.start();
  assert.equal((await store.head()).size, size + 1);
  assert.equal(store.losses.length, 1);
  assert.match(
    store.losses[0] ?? '',
    /ends in frame 2 \(\d+ bytes, at 4096\), which is not whole and was dropped/,
  );
});
