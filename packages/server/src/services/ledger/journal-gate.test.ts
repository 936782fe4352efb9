// Owns the claims about who may append: whoever holds the journal has it alone, and its end is final.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@countersign/core/errors';
import { createJournalGate } from './journal-gate.ts';
import { createDistantAppender } from './journal-hold.ts';

const reason = new AppError('storage_unavailable', 'the thread has stopped');

test('it is closed at first, opens with a resume, and who waits is let go', async () => {
  const gate = createJournalGate(1_000);
  let isFree = false;
  const waiting = gate.free().then(() => {
    isFree = true;
  });
  await sleep(5);
  assert.deepEqual([isFree, gate.isHeld()], [false, true]);
  gate.resume();
  await waiting;
  assert.equal(gate.isHeld(), false);
});

test('whoever holds it waits for what is being appended', async () => {
  const gate = createJournalGate(1_000);
  gate.resume();
  const { promise, resolve } = Promise.withResolvers<void>();
  const appending = gate.append(() => promise);
  let isHeld = false;
  const holding = gate.hold().then(() => {
    isHeld = true;
  });
  await sleep(5);
  assert.deepEqual([isHeld, gate.isHeld()], [false, true], 'nothing new begins meanwhile');
  resolve();
  await Promise.all([appending, holding]);
});

test('an append that fails keeps nobody', async () => {
  const gate = createJournalGate(1_000);
  gate.resume();
  const failing = gate.append(() => Promise.reject(new Error('the disk')));
  const holding = gate.hold();
  await assert.rejects(failing, /the disk/);
  await holding;
});

test('nobody waits for longer than a caller should', async () => {
  const gate = createJournalGate(10);
  await assert.rejects(gate.free(), { code: 'storage_unavailable' });
});

test('after the end whoever waits and whoever comes hears why, at once, and no resume opens it', async () => {
  const gate = createJournalGate(60_000);
  const waiting = assert.rejects(gate.free(), reason);
  await gate.end(reason);
  await waiting;
  gate.resume();
  await assert.rejects(gate.free(), reason);
  assert.equal(gate.isHeld(), true);
});

test('an appender in another thread is asked, until it has left', async () => {
  let asked = 0;
  const appender = createDistantAppender(
    () => {
      asked += 1;
    },
    () => {},
  );
  const first = appender.hold();
  appender.onHeld();
  await first;
  const second = appender.hold();
  appender.leave();
  await second;
  await appender.hold();
  assert.equal(asked, 2);
});
