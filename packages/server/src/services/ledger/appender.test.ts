// Checks what the committing thread remembers of a log's head: what somebody changed is refused, what a commit left never.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { createTreeHasher } from '@countersign/core/ledger/tree';
import { makeOrganization, openSampleStore } from '../../control/sample-organization.ts';
import { createBuilt } from '../../stores/built-statements.ts';
import { lockHead, readHead } from '../../stores/heads.ts';
import type { Tx } from '../../stores/schema.ts';
import { createAppender, type Uncommitted } from './appender.ts';
import { sha256 } from './crypto.ts';

/** A log that an appender of the test's own appends to, one transaction at a time. */
async function openLog(context: TestContext) {
  const { db, sealer, ...store } = await openSampleStore(context);
  const { orgId } = (await makeOrganization({ db, sealer, ...store }, 'acme')).owner;
  const published: string[] = [];
  const altered: string[] = [];
  const appender = createAppender({
    sealer,
    hasher: createTreeHasher(sha256),
    built: createBuilt(),
    onCheckpoint: (_orgId, checkpoint) => void published.push(checkpoint),
    onAltered: (_orgId, origin) => void altered.push(origin),
  });
  /** Appends bundles of one entry each, and signs once. */
  async function add(tx: Tx, ...numbers: readonly number[]): Promise<Uncommitted> {
    const head = await lockHead(tx, orgId, false);
    let growing = await appender.begin(tx, orgId, appender.check(orgId, head));
    for (const n of numbers) {
      const entries = [Buffer.from(`{"n":${n}}`, 'utf8')];
      const input = { entries, bundle: encodeBundle(entries), version: head.version + 1 };
      growing = await appender.grow(tx, growing, input);
    }
    return appender.sign(tx, growing);
  }
  /** Appends one entry; `after` is what comes when the commit was asked for, inside the transaction. */
  const append = (n: number, after: () => void = () => {}): Promise<Uncommitted> =>
    db.transaction().execute(async (tx) => {
      const done = await add(tx, n);
      appender.asked([done]);
      after();
      return done;
    });
  const head = async () => (await readHead(db, orgId)) ?? assert.fail('there is a head');
  return { db, orgId, appender, published, altered, add, append, head };
}

const diskFails = (): never => {
  throw new Error('the disk has failed');
};

test('a commit that failed leaves the head as it was, and one whose answer was lost leaves it moved: both are right', async (t) => {
  const { append, appender, head, altered } = await openLog(t);
  for (const isFirst of [true, false]) {
    const { size } = await head();
    await assert.rejects(
      append(1, () => diskFails()),
      /the disk/,
    );
    await assert.rejects(
      append(2, () => diskFails()),
      /the disk/,
    );
    assert.equal((await head()).size, size);
    // Committed, but never confirmed.
    await append(3);
    await append(4);
    appender.confirm([await append(5)]);
    assert.equal(
      (await head()).size,
      size + 3,
      isFirst ? 'nothing was remembered' : 'the last was remembered',
    );
  }
  assert.deepEqual(altered, []);
});

test('commits that are confirmed in another order than they were made leave the last one', async (t) => {
  const { append, appender, altered, published } = await openLog(t);
  const [first, second] = [await append(1), await append(2)];
  appender.confirm([second]);
  appender.confirm([first]);
  appender.confirm([await append(3)]);
  assert.equal(published.length, 3);
  assert.deepEqual(altered, []);
});

test('after two bundles in one transaction, the head may be as before both, or as after the second', async (t) => {
  const { db, add, append, appender, altered, published, head } = await openLog(t);
  const both = (fail: () => void) =>
    db.transaction().execute(async (tx) => {
      const done = await add(tx, 1, 2);
      appender.asked([done]);
      fail();
      return done;
    });
  await assert.rejects(both(diskFails), /the disk/);
  appender.confirm([await append(3)]);
  const { size } = await head();
  appender.confirm([await both(() => {})]);
  assert.equal((await head()).size, size + 2);
  appender.confirm([await append(4)]);
  assert.deepEqual(altered, []);
  assert.equal(published.length, 3, 'one checkpoint for each transaction');
});

test('a commit that is tried again and again, and fails, keeps what is remembered small and right', async (t) => {
  const { db, orgId, append, appender, altered, head } = await openLog(t);
  appender.confirm([await append(0)]);
  const older = await head();
  appender.confirm([await append(1)]);
  for (let n = 0; n < 40; n += 1) await assert.rejects(append(2, diskFails), /the disk/);
  const setBack = () =>
    db.updateTable('heads').set({ version: older.version }).where('org_id', '=', orgId).execute();
  const newer = await head();
  await setBack();
  await assert.rejects(append(3), { code: 'ledger_unavailable' }, 'forty failures do not make it forget');
  assert.deepEqual(altered, [older.origin]);
  await db.updateTable('heads').set({ version: newer.version }).where('org_id', '=', orgId).execute();
  // Each of these is another one: beyond a bound nothing is remembered, and a right head is still taken.
  for (let n = 10; n < 30; n += 1) await assert.rejects(append(n, diskFails), /the disk/);
  appender.confirm([await append(4)]);
  assert.equal(altered.length, 1);
});

test('a head that came back from before is refused, whether or not a commit has failed since', async (t) => {
  const { db, orgId, append, appender, head, published } = await openLog(t);
  appender.confirm([await append(1)]);
  const { version, size, frontier, checkpoint } = await head();
  appender.confirm([await append(2)]);
  for (const fails of [false, true]) {
    if (fails) await assert.rejects(append(3, diskFails), /the disk/);
    const now = await head();
    const edit = (
      to: typeof now | { version: number; size: number; frontier: Uint8Array; checkpoint: string },
    ) =>
      db
        .updateTable('heads')
        .set({ version: to.version, size: to.size, frontier: to.frontier, checkpoint: to.checkpoint })
        .where('org_id', '=', orgId)
        .execute();
    await edit({ version, size, frontier, checkpoint });
    await assert.rejects(
      append(4),
      (error) => error instanceof AppError && /changed the store/.test(error.message),
    );
    await edit(now);
  }
  appender.confirm([await append(5)]);
  assert.equal(published.length, 3);
});

test('whatever of its head somebody changes, nothing is signed until it is as it was', async (t) => {
  const { db, orgId, append, appender, head, published, altered } = await openLog(t);
  const older = await head();
  appender.confirm([await append(1)]);
  const now = await head();
  const changes = [
    { version: now.version + 1 },
    { size: now.size - 1 },
    { frontier: now.frontier.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) },
    { checkpoint: older.checkpoint },
    { origin: `${now.origin}.example` },
    { verifier_key: `${now.verifierKey.slice(0, -4)}AAA=` },
  ];
  for (const [i, change] of changes.entries()) {
    await db.updateTable('heads').set(change).where('org_id', '=', orgId).execute();
    await assert.rejects(append(2), { code: 'ledger_unavailable' }, Object.keys(change).join());
    assert.deepEqual(altered, Array(i + 1).fill(now.origin));
    const { version, size, frontier, checkpoint, origin, verifierKey } = now;
    const asItWas = { version, size, frontier, checkpoint, origin, verifier_key: verifierKey };
    await db.updateTable('heads').set(asItWas).where('org_id', '=', orgId).execute();
  }
  appender.confirm([await append(3)]);
  assert.equal(published.length, 2);
});
