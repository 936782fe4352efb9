// Claims that the count of lost calls sees each way in which a log can lose one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countLost, readLedger } from './ledger.ts';

test('a call that was answered or dispatched and is not in the log is counted as lost', async () => {
  const empty = readLedger({
    fetchText: async () => JSON.stringify({ checkpoint: 'none', verifierKey: 'none' }),
    fetchBytes: async () => new Uint8Array(0),
  });
  const calls = await empty.read();
  assert.equal(countLost(calls, new Map(), []), 0);
  assert.equal(countLost(calls, new Map([['a', 1]]), []), 1);
  assert.equal(countLost(calls, new Map([['a', 1]]), ['a', 'b']), 3);
});

test('a second attempt needs an intent of its own', () => {
  const calls = { intents: new Map(), outcomes: new Map(), byMarker: new Map([['a', ['req_1']]]), size: 1 };
  assert.equal(countLost(calls, new Map([['a', 1]]), []), 0);
  assert.equal(countLost(calls, new Map([['a', 2]]), []), 1);
  assert.equal(countLost(calls, new Map([['a', 1]]), ['a']), 1, 'it has no outcome');
});
