// Claims about where entries get their places while another thread moves the heads: never where the log has gone on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { makeId } from '@countersign/core/ids';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { createJournalCommit } from './journal-commit.ts';
import type { Standing } from './place-batch.ts';

const orgId = makeId('org', 1, new Uint8Array(10));

/** A journal that takes all, before a database that tells where a log stands when the test says so. */
function open() {
  const asked: ((standing: Standing | undefined) => void)[] = [];
  const committing = createJournalCommit({
    journal: { append: async () => true, share: () => 0 },
    follower: {
      commit: () => assert.fail('nothing goes past the journal'),
      settle: async () => {},
      standings: ([id = orgId]) =>
        new Promise((resolve) => asked.push((standing) => resolve([[id, standing]]))),
    },
  });
  const batch = (version: number) => ({
    orgId,
    bundle: encodeBundle([Buffer.from('{}', 'utf8')]),
    versions: [version],
    sidecars: [],
    objects: [],
  });
  return { asked, committing, batch };
}

test('what is heard of a log while it is asked for is newer than the answer', async () => {
  const { asked, committing, batch } = open();
  committing.resume([]);
  const committed = committing.commit([batch(2)]);
  while (asked.length === 0) await turn();
  await committing.hold();
  committing.resume([[orgId, { version: 2, size: 10 }]]);
  asked[0]?.({ version: 1, size: 5 });
  assert.deepEqual(await committed, [{ orgId, version: 2, indices: [10] }]);
  assert.equal(asked.length, 1);
  assert.deepEqual((await committing.commit([batch(-1)]))[0]?.indices, [11], 'it is known from now on');
});

test('a log that moved in a way that nobody could tell is asked for anew', { timeout: 10_000 }, async () => {
  const { asked, committing, batch } = open();
  committing.resume([[orgId, { version: 1, size: 5 }]]);
  assert.deepEqual((await committing.commit([batch(1)]))[0]?.indices, [5]);
  await committing.hold();
  committing.resume([[orgId, undefined]]);
  const committed = committing.commit([batch(1)]);
  while (asked.length === 0) await turn();
  asked[0]?.({ version: 2, size: 7 });
  assert.deepEqual(await committed, [{ orgId, version: 2, indices: [-1] }]);
  assert.deepEqual((await committing.commit([batch(2)]))[0]?.indices, [7]);
});

test('an organization without a log gets no place', async () => {
  const { asked, committing, batch } = open();
  committing.resume([]);
  const committed = committing.commit([batch(-1)]);
  while (asked.length === 0) await turn();
  asked[0]?.(undefined);
  await assert.rejects(committed, { code: 'not_found' });
});
