// Owns the claims about taking turns on one connection.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurn } from './turn.ts';

test('one holds the turn at a time, in the order of asking', async () => {
  const turn = createTurn(1000);
  const order: number[] = [];
  let holders = 0;
  await Promise.all(
    [0, 1, 2, 3].map(async (number) => {
      await turn.take();
      holders += 1;
      assert.equal(holders, 1);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(number);
      holders -= 1;
      turn.give();
    }),
  );
  assert.deepStrictEqual(order, [0, 1, 2, 3]);
});

test('who waits too long is refused and does not hold up the next', async () => {
  const turn = createTurn(20);
  await turn.take();
  await assert.rejects(turn.take(), { name: 'AppError', code: 'storage_unavailable' });
  const next = turn.take();
  turn.give();
  await next;
});
