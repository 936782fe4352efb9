// Owns the claims about refused credentials: counted by source and reason, one entry however many, none lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeEntryId } from '@countersign/core/ids';
import { decodeEntry, type Entry } from '@countersign/core/ledger/entry';
import { createRefusals } from './refusals.ts';

type Refused = Extract<Entry, { readonly type: 'refused_credentials' }>;

function make() {
  const texts: string[] = [];
  const state = { nowMs: 1_800_000_000_000, isDown: false };
  const refusals = createRefusals({
    record: async (text) => {
      if (state.isDown) throw new Error('the disk is full');
      texts.push(text);
    },
    commit: (address) => `c-${address.length}`,
    newEntryId: () => makeEntryId(state.nowMs, new Uint8Array(10)),
    now: () => state.nowMs,
    origin: 'gateway.example/org_1',
    node: 'node-1',
    boot: 'boot-1',
  });
  const entries = (): readonly Refused[] =>
    texts.map((text) => {
      const decoded = decodeEntry(text);
      assert.ok(decoded.ok && decoded.entry.type === 'refused_credentials');
      return decoded.entry;
    });
  return { refusals, state, entries, texts };
}

test('a flood is one entry with a count for each source and reason, and no address stands in it', async () => {
  const { refusals, entries, texts, state } = make();
  for (let i = 0; i < 10_000; i += 1) refusals.note('192.0.2.1', 'unknown_key');
  refusals.note('192.0.2.1', 'wrong_use');
  refusals.note('2001:db8::7', 'unknown_key');
  state.nowMs += 1_000;
  await refusals.flush();
  await refusals.flush();
  const [entry, ...more] = entries();
  assert.equal(more.length, 0);
  assert.equal(entry?.refused.total, 10_002);
  assert.deepEqual(entry?.refused.sources, [
    { source: 'c-9', reason: 'unknown_key', count: 10_000 },
    { source: 'c-9', reason: 'wrong_use', count: 1 },
    { source: 'c-11', reason: 'unknown_key', count: 1 },
  ]);
  assert.equal(Date.parse(entry?.refused.to ?? '') - Date.parse(entry?.refused.from ?? ''), 1_000);
  assert.ok(!texts.join('').includes('192.0.2.1') && !texts.join('').includes('db8:'));
});

test('sources beyond the bound are in the total, and the entry stays within its own', async () => {
  const { refusals, entries } = make();
  for (let i = 0; i < 100_000; i += 1)
    refusals.note(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 'unknown_key');
  await refusals.flush();
  const [entry] = entries();
  assert.equal(entry?.refused.total, 100_000);
  assert.equal(entry?.refused.sources.length, 50);
});

test('what the log could not take is in the next entry, with what came since', async () => {
  const { refusals, entries, state } = make();
  const began = state.nowMs;
  refusals.note('192.0.2.1', 'unknown_key');
  state.isDown = true;
  await assert.rejects(refusals.flush());
  state.nowMs += 5_000;
  refusals.note('192.0.2.1', 'unknown_key');
  refusals.note('192.0.2.2', 'none');
  await assert.rejects(refusals.flush());
  state.isDown = false;
  await refusals.flush();
  const [entry, ...more] = entries();
  assert.equal(more.length, 0);
  assert.equal(entry?.refused.total, 3);
  assert.deepEqual(
    entry?.refused.sources.map(({ count }) => count),
    [2, 1],
  );
  assert.equal(Date.parse(entry?.refused.from ?? ''), began);
});
