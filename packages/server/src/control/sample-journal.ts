// Owns what tests of the journal stand on: a store whose processes follow each other, and its log held to its checkpoint.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { AppError } from '@countersign/core/errors';
import { encodeEntry } from '@countersign/core/ledger/entry';
import { decodeBundle, encodeBundle } from '@countersign/core/ledger/tile';
import { appendLeaves, createTreeHasher, emptyFrontier, frontierRoot } from '@countersign/core/ledger/tree';
import { type Journal, joinJournal, openJournal } from '../platform/journal/journal.ts';
import type { OrgBatch } from '../services/ledger/batch.ts';
import type { Committer } from '../services/ledger/committer.ts';
import { sha256 } from '../services/ledger/crypto.ts';
import { createJournalCommit } from '../services/ledger/journal-commit.ts';
import { createDistantAppender } from '../services/ledger/journal-hold.ts';
import {
  createJournaledCommitter,
  type JournaledCommitter,
  type JournaledDeps,
} from '../services/ledger/journaled-committer.ts';
import { createProjection } from '../services/ledger/projection.ts';
import { createBuilt } from '../stores/built-statements.ts';
import { readBundles } from '../stores/entries.ts';
import { readHead } from '../stores/heads.ts';
import { readJournalPlace, startJournal } from '../stores/journal-places.ts';
import { callEntries } from './sample-calls.ts';
import { makeOrganization, openSampleStore, type SampleStore } from './sample-organization.ts';

const journalId = new Uint8Array(16).fill(3);
const hasher = createTreeHasher(sha256);

/** One way between two threads: what is sent arrives in its order, later, and each by itself. */
function createWay(): (arrive: () => void) => void {
  const sent: (() => void)[] = [];
  function deliver(): void {
    sent.shift()?.();
    if (sent.length > 0) setImmediate(deliver);
  }
  return (arrive) => {
    if (sent.length === 0) setImmediate(deliver);
    sent.push(arrive);
  };
}

/** Both halves of a journaled log, as two threads have them: what they say to each other takes its time. */
function joinHalves(
  journal: Journal,
  make: (halves: Pick<JournaledDeps, 'appender' | 'onFollowing'>) => JournaledCommitter,
) {
  const toServer = createWay();
  const toWriter = createWay();
  const ask = <T>(work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const done = (value: T): void => toServer(() => resolve(value));
      const failed = (error: unknown): void => toServer(() => reject(error));
      toWriter(() => void work().then(done, failed));
    });
  const appender = createDistantAppender(
    () => toServer(() => void commits.hold().then(() => toWriter(appender.onHeld))),
    (moved) => toServer(() => commits.resume(moved)),
  );
  const committer = make({
    appender,
    onFollowing: (follows) => toServer(() => commits.follows(follows)),
  });
  const commits = createJournalCommit({
    journal,
    follower: {
      commit: (batches) => ask(() => committer.commit(batches)),
      settle: () => ask(committer.settle),
      standings: (orgIds) => ask(() => committer.standings(orgIds)),
    },
  });
  const end = (): Promise<void> =>
    commits.end(new AppError('shutting_down', 'the end')).then(() => toWriter(appender.leave));
  return { ...committer, commit: commits.commit, end };
}

/** A process as far as its log goes. */
export type SampleProcess = Committer & {
  /** Nothing is appended to the journal any more. */
  readonly end: () => Promise<void>;
};

/** What a process does when it starts, as far as the journal goes. The one before has died, whatever it was doing. */
async function startOver(
  context: TestContext,
  { db, sealer, deps }: SampleStore,
  folder: string,
  size = 256 * 1024,
): Promise<SampleProcess> {
  const known = (await readJournalPlace(db)) ?? assert.fail('there is a journal');
  const path = join(folder, 'journal');
  const journal = openJournal({ path, ...known, size });
  const tail = joinJournal({ path, id: known.id, memory: journal.memory });
  context.after(journal.close);
  context.after(tail.close);
  const common = { db, sealer, now: deps.now, locksRows: false, onCheckpoint: () => {}, onAltered: () => {} };
  const projection = createProjection(createBuilt());
  const joined = joinHalves(journal, (halves) =>
    createJournaledCommitter({ ...common, ...halves, journal: tail, projection }),
  );
  await joined.attach();
  return joined;
}

/** A store with a journal, and processes over it that follow each other. */
export async function makeBed(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner } = await makeOrganization(store, 'acme');
  const { orgId } = owner;
  await store.db.transaction().execute((tx) => startJournal(tx, journalId));
  const folder = mkdtempSync(join(tmpdir(), 'countersign-journaled-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (size?: number) => startOver(context, store, folder, size);
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
