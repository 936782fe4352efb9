// Checks when the ledger counts as out of order, that it comes back without a call, and how often that is told.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createLog } from '../platform/log/log.ts';
import { createLedgerHealth } from './ledger-health.ts';

function open(context: TestContext) {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const lines: string[] = [];
  const state = { now: 0, works: true, probes: 0 };
  const health = createLedgerHealth({
    log: createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } }),
    clock: () => state.now,
    probe: async () => {
      state.probes += 1;
      if (!state.works) throw new Error('disk full');
    },
  });
  async function seconds(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      state.now += 1_000;
      context.mock.timers.tick(1_000);
      await new Promise(setImmediate);
    }
  }
  return { health, state, lines, seconds };
}

test('after a failure it is out of order until something is written, a call or what is tried once a second', async (t) => {
  const { health, state, seconds } = open(t);
  await seconds(3);
  assert.deepEqual([health.isWritable(), state.probes], [true, 0], 'nothing is tried while all is well');
  state.works = false;
  health.onFailure(new Error('disk full'), 1);
  await seconds(3);
  assert.deepEqual([health.isWritable(), state.probes], [false, 3]);
  state.works = true;
  await seconds(1);
  assert.equal(health.isWritable(), true);
  await seconds(3);
  assert.equal(state.probes, 4);
  health.onFailure(new Error('disk full'), 1);
  health.onCommit();
  assert.equal(health.isWritable(), true);
  health.onFollowing(false);
  // Of one that was under way before.
  health.onCommit();
  assert.equal(health.isWritable(), false);
  health.onFollowing(true);
  assert.equal(health.isWritable(), true);
});

test('a log whose head somebody changed makes it out of order until what is tried finds it as it was', async (t) => {
  const { health, state, seconds } = open(t);
  health.onAltered(true);
  await seconds(2);
  // What can be written elsewhere, as in another log, does not end it.
  health.onCommit();
  assert.deepEqual([health.isWritable(), state.probes], [false, 2]);
  health.onAltered(false);
  await seconds(2);
  assert.deepEqual([health.isWritable(), state.probes], [true, 2]);
});

test('a thousand refused entries a second are one line a second that counts them', async (t) => {
  const { health, state, lines } = open(t);
  for (let n = 0; n < 3_000; n += 1) {
    state.now += 1;
    health.onFailure(new Error('disk full'), 2);
  }
  const told = lines.map((line): unknown => JSON.parse(line));
  assert.equal(told.length, 3);
  assert.partialDeepStrictEqual(told[0], { entries: 2, level: 'error' });
  assert.partialDeepStrictEqual(told[2], { entries: 2_000 });
  health.stop();
});
