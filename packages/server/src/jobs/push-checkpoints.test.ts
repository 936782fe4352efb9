// Tests when checkpoints are pushed: the newest of each log, never too often, and again until an anchor took them.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type PushDeps, pushCheckpoints } from './push-checkpoints.ts';

type Push = PushDeps['anchor']['push'];

/** A clock of the test's own, with the timers by it. `pass` lets so many milliseconds go by. */
function mockTime(t: TestContext) {
  let now = 0;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return {
    clock: () => now,
    async pass(ms: number): Promise<void> {
      const end = now + ms;
      while (now < end) {
        await turn();
        now += 1;
        t.mock.timers.tick(1);
      }
      await turn();
    },
  };
}

/** An anchor that does as `push` says, and what is told of it. Pushed at most every 30 ms. */
function start(clock: () => number, push: Push, times: Partial<PushDeps> = {}) {
  const told: string[] = [];
  const pushed = pushCheckpoints({
    anchor: { name: 'webhook', push },
    intervalMs: 30,
    mostPauseMs: 120,
    clock,
    random: () => 1,
    onFailing: (error) => void told.push(error instanceof Error ? error.message : 'no error'),
    onWorking: () => void told.push('working'),
    count: () => {},
    ...times,
  });
  return { pushed, told };
}

const grown = (orgId: string, checkpoint: string) => [{ orgId, checkpoint }];

/** Takes everything, and remembers each push. */
function taker() {
  const pushes: (readonly string[])[] = [];
  const push: Push = async (notes, onTaken) => {
    pushes.push(notes);
    notes.forEach(onTaken);
  };
  return { pushes, push };
}

test('of each log the newest alone is pushed, once an interval, and nothing while nothing grows', async (t) => {
  const { clock, pass } = mockTime(t);
  const { pushes, push } = taker();
  const { pushed } = start(clock, push, { intervalMs: 100 });
  pushed.note(grown('a', 'a1'));
  await pass(20);
  assert.deepEqual(pushes, [['a1']]);
  for (const size of [2, 3, 4]) pushed.note([...grown('a', `a${size}`), ...grown('b', `b${size}`)]);
  await pass(20);
  assert.equal(pushes.length, 1);
  await pass(120);
  assert.deepEqual(pushes.slice(1), [['a4', 'b4']]);
  await pass(150);
  assert.equal(pushes.length, 2);
});

test('a failure is told once, tried again more and more seldom, and the newest goes when it is over', async (t) => {
  const { clock, pass } = mockTime(t);
  const began: number[] = [];
  let isDown = true;
  let taken: readonly string[] = [];
  const { pushed, told } = start(clock, async (notes, onTaken) => {
    began.push(clock());
    if (isDown) throw new Error(`down ${began.length}`);
    taken = notes;
    notes.forEach(onTaken);
  });
  pushed.note(grown('a', 'a1'));
  await pass(450);
  pushed.note(grown('a', 'a2'));
  assert.deepEqual(told, ['down 1']);
  const pauses = began.slice(1).map((at, index) => at - (began[index] ?? 0));
  assert.deepEqual(pauses, [60, 120, 120, 120]);
  isDown = false;
  await pass(120);
  assert.deepEqual(taken, ['a2']);
  assert.deepEqual(told, ['down 1', 'working']);
});

test('one checkpoint that is never taken holds up none of the others', async (t) => {
  const { clock, pass } = mockTime(t);
  const taken: string[] = [];
  const { pushed, told } = start(clock, async (notes, onTaken) => {
    for (const note of notes) {
      if (note.startsWith('bad')) throw new Error('answered 404');
      taken.push(note);
      onTaken();
    }
  });
  pushed.note([...grown('bad', 'bad1'), ...grown('a', 'a1'), ...grown('b', 'b1')]);
  await pass(120);
  assert.deepEqual(taken, ['a1', 'b1']);
  pushed.note(grown('a', 'a2'));
  await pass(200);
  assert.deepEqual(taken, ['a1', 'b1', 'a2']);
  assert.deepEqual(told, ['answered 404']);
});

test('a checkpoint that grows while it is pushed is pushed again', async (t) => {
  const { clock, pass } = mockTime(t);
  const { pushes, push } = taker();
  const { pushed } = start(clock, async (notes, onTaken, signal) => {
    if (notes.includes('a1')) pushed.note(grown('a', 'a2'));
    await push(notes, onTaken, signal);
  });
  pushed.note(grown('a', 'a1'));
  await pass(100);
  assert.deepEqual(pushes, [['a1'], ['a2']]);
});

test('an end tries once more what is left, and an anchor that hangs holds it up for no longer than it may', async (t) => {
  const { clock, pass } = mockTime(t);
  const { pushes, push } = taker();
  const quick = start(clock, push, { intervalMs: 60_000 });
  quick.pushed.note(grown('a', 'a1'));
  await pass(20);
  quick.pushed.note(grown('a', 'a2'));
  await quick.pushed.close(1_000);
  assert.deepEqual(pushes, [['a1'], ['a2']]);

  let calls = 0;
  const hanging = start(clock, (_notes, _onTaken, signal) => {
    calls += 1;
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('given up')));
    });
  });
  hanging.pushed.note(grown('a', 'a1'));
  await pass(20);
  let hasEnded = false;
  void hanging.pushed.close(100).then(() => {
    hasEnded = true;
  });
  await pass(99);
  assert.equal(hasEnded, false);
  await pass(2);
  assert.equal(hasEnded, true);
  assert.deepEqual([calls, hanging.told], [1, ['given up']]);
});
