// Claims about entries on their way to a commit: each is answered, and by what became of itself alone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeId } from '@countersign/core/ids';
import { createRecorder, type RecorderDeps } from './recorder.ts';

const acme = makeId('org', 1, new Uint8Array(10));
const other = makeId('org', 2, new Uint8Array(10));
const entry = (orgId = acme, text = '{}') => ({ orgId, text, version: 3 });

function open(commit: RecorderDeps['commit'], maxWaiting = 100) {
  return createRecorder({ commit, maxBatch: 10, maxWaiting, gatherMs: () => 0, underWay: () => 2 });
}

test('an entry that a commit does not speak of was not recorded, and those beside it were', {
  timeout: 10_000,
}, async () => {
  const recorder = open(async (batches) =>
    batches
      .filter(({ orgId }) => orgId === acme)
      .map(({ orgId, versions }) => ({ orgId, version: 3, indices: versions.map((_, i) => 7 + i) })),
  );
  const [own, silent, last] = await Promise.allSettled([
    recorder.record(entry()),
    recorder.record(entry(other)),
    recorder.record(entry()),
  ]);
  const recorded = (index: number) => ({
    status: 'fulfilled',
    value: { kind: 'recorded', index, version: 3 },
  });
  assert.deepEqual([own, last], [recorded(7), recorded(8)]);
  assert.equal(silent.status, 'rejected');
  assert.equal(silent.status === 'rejected' && silent.reason.code, 'ledger_unavailable');
  assert.equal(recorder.pending(), 0);
});

test('an answer that speaks of fewer entries than were asked leaves the others without a place', async () => {
  const recorder = open(async () => [{ orgId: acme, version: 4, indices: [7] }]);
  assert.deepEqual(await Promise.all([recorder.record(entry()), recorder.record(entry())]), [
    { kind: 'recorded', index: 7, version: 4 },
    { kind: 'stale', version: 4 },
  ]);
});

test('beyond what may wait nothing waits: the next entry is refused at once, and those before it are written', {
  timeout: 10_000,
}, async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const recorder = open(async (batches) => {
    await promise;
    return batches.map(({ orgId, versions }) => ({ orgId, version: 3, indices: versions.map((_, i) => i) }));
  }, 3);
  const waiting = [1, 2, 3].map(() => recorder.record(entry()));
  await assert.rejects(recorder.record(entry()), { code: 'ledger_unavailable' });
  resolve();
  for (const one of await Promise.all(waiting)) assert.equal(one.kind, 'recorded');
  await recorder.idle();
});

test('an entry that is longer than its length can say fails with its batch, and nothing of it is written', async () => {
  let commits = 0;
  const recorder = open(async () => {
    commits += 1;
    return [];
  });
  const both = [recorder.record(entry(acme, 'x'.repeat(65_536))), recorder.record(entry())];
  for (const one of await Promise.allSettled(both)) assert.equal(one.status, 'rejected');
  assert.equal(commits, 0);
  assert.equal(recorder.pending(), 0);
});
