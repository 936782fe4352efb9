// Owns the claims about rounds: who waits, for how long, and who goes on at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRounds } from './rounds.ts';

/** Rounds whose turn ends when the test says so. */
function heldRounds() {
  const due: (() => void)[] = [];
  return {
    rounds: createRounds((work) => due.push(work)),
    endTurn: () => due.splice(0).map((work) => work()),
  };
}

test('a call that is alone waits for nobody', () => {
  const { rounds, endTurn } = heldRounds();
  assert.equal(rounds.next(), undefined);
  rounds.enter();
  assert.equal(rounds.next(), undefined);
  rounds.enter();
  rounds.leave();
  assert.equal(rounds.next(), undefined);
  assert.equal(endTurn().length, 0);
});

test('calls of one turn go on together, in the order in which they came; those of the next in another round', async () => {
  const { rounds, endTurn } = heldRounds();
  const order: number[] = [];
  for (let i = 0; i < 3; i += 1) rounds.enter();
  const first = [0, 1, 2].map(async (i) => {
    await rounds.next();
    order.push(i);
  });
  await Promise.resolve();
  assert.deepEqual(order, []);
  assert.equal(endTurn().length, 1);
  await Promise.all(first);
  assert.deepEqual(order, [0, 1, 2]);
  const later = rounds.next();
  assert.notEqual(later, undefined);
  assert.equal(endTurn().length, 1);
  await later;
});
