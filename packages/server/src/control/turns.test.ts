// Tries the order of changes: nobody's many requests keep the others from theirs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTurns } from './turns.ts';

test('one at a time under a name, and many of one person take one place in the line of all', async () => {
  const inTurn = createTurns(1_000);
  const done: string[] = [];
  let running = 0;
  const ask = (who: string) =>
    inTurn([who, 'all'], async () => {
      running += 1;
      assert.equal(running, 1);
      await sleep(2);
      running -= 1;
      done.push(who);
    });
  await Promise.all([...Array.from({ length: 20 }, () => ask('mallory')), ask('alice'), ask('bob')]);
  assert.deepEqual(done.slice(0, 3).sort(), ['alice', 'bob', 'mallory']);
  assert.equal(done.length, 22);
});

test('whoever waits too long is refused, and a turn that failed is given on', async () => {
  const inTurn = createTurns(20);
  const slow = inTurn(['all'], () => sleep(60));
  await assert.rejects(
    inTurn(['all'], async () => {}),
    { code: 'storage_unavailable' },
  );
  await slow;
  const failing = inTurn(['all'], () => Promise.reject(new Error('no')));
  const next = inTurn(['all'], async () => 'done');
  await assert.rejects(failing, /no/);
  assert.equal(await next, 'done');
});
