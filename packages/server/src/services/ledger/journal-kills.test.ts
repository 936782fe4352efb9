// Owns the claim that no order of commits, changes, taking in and deaths moves an entry from where it was said to be.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { makeBed } from '../../control/sample-journal.ts';

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
