// Owns the claims about outcomes that are owed to the ledger.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import { makeEntryId, makeId } from '@countersign/core/ids';
import { createOwingRecorder, type OwedOutcome } from './owed.ts';
import type { ToRecord } from './recorder.ts';

const random = new Uint8Array(10);
const orgId = makeId('org', 1_800_000_000_000, random);
const intent = makeEntryId(1_800_000_000_000, random);
const outcome: ToRecord = { orgId, text: '{}', version: -1, closes: () => ({ intent, text: '{}' }) };

/** A recorder whose log can be taken away, and the outcomes that were written later. */
function make(maxOwed = 10) {
  const written: OwedOutcome[] = [];
  const state = { isDown: true, written, errors: 0 };
  const unavailable = () =>
    Promise.reject(new AppError('ledger_unavailable', 'the record could not be written'));
  const recorder = createOwingRecorder({
    recorder: {
      record: () =>
        state.isDown ? unavailable() : Promise.resolve({ kind: 'recorded', index: 0, version: 1 }),
      pending: () => 0,
      idle: () => Promise.resolve(),
    },
    closeOwed: async (_orgId, owed) => {
      if (state.isDown) return unavailable();
      state.written.push(...owed);
      return owed.length;
    },
    onError: () => {
      state.errors += 1;
    },
    maxOwed,
  });
  return { state, recorder };
}

test('an outcome that cannot be recorded is refused at once and written when the log is back, once', async () => {
  const { state, recorder } = make();
  await assert.rejects(recorder.record(outcome), { code: 'ledger_unavailable' });
  assert.equal(recorder.owed(), 1);
  await recorder.settle();
  assert.deepEqual([recorder.owed(), state.errors, state.written.length], [1, 1, 0]);
  state.isDown = false;
  await Promise.all([recorder.settle(), recorder.settle()]);
  await recorder.settle();
  assert.deepEqual(
    state.written.map((owed) => owed.intent),
    [intent],
  );
  assert.equal(recorder.owed(), 0);
});

test('nothing is owed for an entry that closes nothing, nor for one that was recorded', async () => {
  const { state, recorder } = make();
  await assert.rejects(recorder.record({ orgId, text: '{}', version: 1 }), { code: 'ledger_unavailable' });
  state.isDown = false;
  await recorder.record(outcome);
  assert.equal(recorder.owed(), 0);
});

test('what is owed is bounded: a log that stays away does not fill the memory', async () => {
  const { recorder } = make(3);
  for (let n = 0; n < 10; n += 1) await assert.rejects(recorder.record(outcome));
  assert.equal(recorder.owed(), 3);
});
