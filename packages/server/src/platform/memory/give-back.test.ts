// Owns the claims about memory: what was read once is given back, and a thread's young space is its own.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { giveBack, limitYoungSpace } from './give-back.ts';

const megabyte = 1024 * 1024;

/** Fills some 40 MB and drops them. */
function fillAndDrop(): number {
  const all = Array.from({ length: 40 }, (_, n) => Array.from({ length: 131_072 }, () => n));
  return all.length;
}

test('what was read once is given back to the system', () => {
  giveBack();
  const before = getHeapStatistics().total_physical_size;
  assert.equal(fillAndDrop(), 40);
  const filled = getHeapStatistics().total_physical_size;
  assert.ok(filled - before > 20 * megabyte, `${filled - before} bytes more`);
  giveBack();
  assert.ok(getHeapStatistics().total_physical_size - before < 5 * megabyte);
});

/** How large the young space of a new thread becomes under much garbage, in bytes. */
async function youngSpaceOfThread(): Promise<number> {
  const code = `
    const { getHeapSpaceStatistics } = require('node:v8');
    let most = 0;
    for (let i = 0; i < 400; i += 1) {
      const kept = Array.from({ length: 20_000 }, (_, n) => ({ n }));
      const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
      most = Math.max(most, kept.length && young.space_size);
    }
    require('node:worker_threads').parentPort.postMessage(most);`;
  const worker = new Worker(code, { eval: true });
  const [size]: unknown[] = await once(worker, 'message');
  await worker.terminate();
  return Number(size);
}

test('the young space of threads is as small as it was asked to be, whatever the flags of the process', async () => {
  limitYoungSpace(16);
  const wide = await youngSpaceOfThread();
  limitYoungSpace(2);
  const narrow = await youngSpaceOfThread();
  assert.ok(narrow <= 2 * 2 * megabyte, `${narrow} bytes`);
  assert.ok(wide > 2 * narrow, `${wide} bytes against ${narrow}`);
});
