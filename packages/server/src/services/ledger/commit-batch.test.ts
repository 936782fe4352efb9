// Claims about a batch that goes into the database at once: what is written of it, beside it, and what is refused whole.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { makeEntryId, makeId } from '@countersign/core/ids';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { makeOrganization, openSampleStore } from '../../control/sample-organization.ts';
import { readHead } from '../../stores/heads.ts';
import { readSidecars } from '../../stores/secrets.ts';

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
