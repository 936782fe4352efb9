// Claims about a batch that goes into the database at once: what is written of it, beside it, and what is refused whole.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { makeEntryId, makeId } from '@countersign/core/ids';
import { openCheckpoint } from '@countersign/core/ledger/checkpoint';
import { parseVerifierKey } from '@countersign/core/ledger/note';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { appendLeaves, createTreeHasher, emptyFrontier, frontierRoot } from '@countersign/core/ledger/tree';
import { makeOrganization, openSampleStore } from '../../control/sample-organization.ts';
import { readHead } from '../../stores/heads.ts';
import { readSidecars } from '../../stores/secrets.ts';
import { createCommitter } from './committer.ts';
import { sha256, utf8, verifyEd25519 } from './crypto.ts';
import { neverPause } from './pause.ts';
import { readEntries } from './read-tiles.ts';

const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count));

async function open(context: TestContext) {
  const sample = await openSampleStore(context);
  const { orgId, principalId: ownerId } = (await makeOrganization(sample, 'acme')).owner;
  const head = async () => (await readHead(sample.db, orgId)) ?? assert.fail('there is a head');
  /** A batch of entries that were decided under these versions; each has sealed content and made an id. */
  const batchOf = (versions: readonly number[]) => {
    const ids = versions.map((_, i) => makeEntryId(1_763_769_600_000 + i, random(10)));
    const sidecars = ids.map((entryId, position) => ({
      position,
      value: { entryId, purpose: 'request', subjectId: ownerId, sealed: random(80) },
    }));
    const objects = ids.map((entryId, position) => ({
      position,
      value: {
        kind: 'file',
        externalId: `file-${entryId}`,
        providerId: makeId('provider', 1, random(10)),
        modelId: null,
        ownerId,
        workspaceId: makeId('workspace', 1, random(10)),
        entryId,
      },
    }));
    const bundle = encodeBundle(ids.map((id) => Buffer.from(`{"id":"${id}"}`, 'utf8')));
    return { ids, batch: { orgId, bundle, versions, sidecars, objects } };
  };
  /** What lies beside these entries, by the entry. */
  const beside = async (ids: readonly string[]) => {
    const sealed = await readSidecars(sample.db, orgId, ids);
    const made = await sample.db.selectFrom('provider_objects').select('entry_id').execute();
    return {
      sealed: sealed.map(({ entry_id }) => entry_id).toSorted(),
      made: made.map(({ entry_id }) => entry_id).toSorted(),
    };
  };
  return { ...sample, head, batchOf, beside };
}

test('beside an entry that gets no place nothing is kept, and what is kept is of the entry beside which it came', async (context) => {
  const { committer, head, batchOf, beside } = await open(context);
  const { version, size } = await head();
  const { ids, batch } = batchOf([version - 1, version, version + 1, -1]);
  const [reply] = await committer.commit([batch]);
  assert.deepEqual(reply?.indices, [-1, size, -1, size + 1]);
  const kept = [ids[1] ?? '', ids[3] ?? ''].toSorted();
  assert.deepEqual(await beside(ids), { sealed: kept, made: kept });
  const late = batchOf([version - 1]);
  assert.deepEqual((await committer.commit([late.batch]))[0]?.indices, [-1]);
  assert.deepEqual((await beside(late.ids)).sealed, []);
  assert.equal((await head()).size, size + 2, 'an entry of an older version moves nothing');
});

test('a batch that is torn, has a version too many, or was promised another place is refused whole', async (context) => {
  const { committer, head, batchOf, beside } = await open(context);
  const before = await head();
  const { ids, batch } = batchOf([-1, -1]);
  for (const wrong of [
    { ...batch, bundle: batch.bundle.slice(0, -1) },
    { ...batch, bundle: Buffer.concat([batch.bundle, Buffer.of(0, 5, 0x7b)]) },
    { ...batch, versions: [-1] },
    { ...batch, versions: [-1, -1, -1] },
    { ...batch, at: before.size + 1 },
    { ...batch, at: before.size - 1 },
  ])
    await assert.rejects(committer.commit([wrong]), { code: 'internal' });
  // The first of two would hold: a transaction is one.
  await assert.rejects(committer.commit([batch, { ...batch, at: before.size }]), { code: 'internal' });
  assert.deepEqual(await head(), before);
  assert.deepEqual(await beside(ids), { sealed: [], made: [] });
  await committer.commit([{ ...batch, at: before.size }]);
  assert.equal((await head()).size, before.size + 2);
});

/** Two organizations, and what holds a log's head to the entries that lie in the store. */
async function openTwo(context: TestContext) {
  const sample = await openSampleStore(context);
  const [acme, other] = await Promise.all(['acme', 'other'].map((slug) => makeOrganization(sample, slug)));
  if (acme === undefined || other === undefined) assert.fail('there are two');
  const ids = [acme.owner.orgId, other.owner.orgId] as const;
  const headOf = async (orgId: (typeof ids)[number]) =>
    (await readHead(sample.db, orgId)) ?? assert.fail('there is a head');
  const heads = () => Promise.all(ids.map(headOf));
  /** Asserts that each log has signed the tree of all its entries, and nothing else. */
  const assertSigned = async () => {
    const hasher = createTreeHasher(sha256);
    for (const orgId of ids) {
      const head = await headOf(orgId);
      const entries = await readEntries(sample.db, orgId, 0, head.size);
      const leaves = entries.map((entry) => hasher.leaf(entry));
      const root = frontierRoot(hasher, appendLeaves(hasher, emptyFrontier, leaves));
      const key = parseVerifierKey({ sha256, utf8 }, head.verifierKey) ?? assert.fail('there is a key');
      const opened = openCheckpoint({ sha256, utf8, verifyEd25519 }, head.checkpoint, key);
      assert.ok(opened.ok);
      const { size, root: signed } = opened.signed.checkpoint;
      assert.deepEqual([size, Buffer.from(signed)], [head.size, Buffer.from(root)]);
    }
  };
  const batch = (which: 0 | 1, at: number, count: number) => {
    const entries = Array.from({ length: count }, (_, i) => Buffer.from(`{"n":${at + i}}`, 'utf8'));
    const versions = entries.map(() => -1);
    return { orgId: ids[which], at, bundle: encodeBundle(entries), versions, sidecars: [], objects: [] };
  };
  return { ...sample, heads, assertSigned, batch };
}

test('logs that grow in turns within one transaction are each signed over all of it, or not at all', async (context) => {
  const { committer, db, sealer, locksRows, heads, assertSigned, batch } = await openTwo(context);
  const before = await heads();
  const [a = 0, b = 0] = before.map(({ size }) => size);
  const batches = [batch(0, a, 128), batch(1, b, 3), batch(0, a + 128, 200), batch(1, b + 3, 1)];
  const gap = [...batches, batch(0, a + 329, 1)];
  await assert.rejects(
    committer.takeIn(gap, neverPause, async () => {}),
    { code: 'internal' },
  );
  const fails = async () => assert.fail('the disk is full');
  await assert.rejects(committer.takeIn(batches, neverPause, fails), /the disk/);
  assert.deepEqual(await heads(), before);
  await assertSigned();
  await committer.takeIn(batches, neverPause, async (tx) => {
    // Whoever writes in the same transaction reads heads that are where they will be.
    assert.equal((await readHead(tx, batches[0]?.orgId ?? assert.fail()))?.size, a + 328);
  });
  await assertSigned();
  assert.deepEqual(
    (await heads()).map(({ size }) => size),
    [a + 328, b + 4],
  );
  // One that has not seen how they grew takes them as they are signed.
  const silent = { onCheckpoint: () => {}, onAltered: () => {} };
  const fresh = createCommitter({ db, sealer, locksRows, now: Date.now, ...silent });
  await fresh.takeIn([batch(1, b + 4, 300), batch(0, a + 328, 1)], neverPause, async () => {});
  await assertSigned();
});

test('behind a batch of which nothing holds, the next one of its log gets the places', async (context) => {
  const { committer, head, batchOf } = await open(context);
  const { version, size } = await head();
  const replies = await committer.commit([
    batchOf([version - 1, version + 1]).batch,
    batchOf([-1, version]).batch,
    batchOf([version - 1, -1]).batch,
  ]);
  assert.deepEqual(
    replies.map(({ indices }) => indices),
    [
      [-1, -1],
      [size, size + 1],
      [-1, size + 2],
    ],
  );
  assert.equal((await head()).size, size + 3);
});
