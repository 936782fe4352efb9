// Owns the claim that the two entries of a call agree on whom and what it was of, which the records rely on.

import assert from 'node:assert/strict';
import type { TestGateway } from './gateway.ts';
import { entriesOnDisk } from './ledger-on-disk.ts';
import { at } from './server.ts';

const members = ['actor', 'cc', 'class', 'req', 'type'];

/** Of every call that the gateway has recorded. Returns how many there were. */
export function checkPairs(running: TestGateway): number {
  const entries = entriesOnDisk(running);
  const intents = new Map(entries.map((entry) => [at(entry, 'id'), entry]));
  const outcomes = entries.filter((entry) => at(entry, 'phase') === 'outcome');
  for (const outcome of outcomes) {
    const intent = intents.get(at(outcome, 'intent'));
    for (const member of members) assert.deepEqual(at(outcome, member), at(intent, member), member);
    assert.deepEqual(at(outcome, 'target.model'), at(intent, 'target.model'));
  }
  return outcomes.length;
}
