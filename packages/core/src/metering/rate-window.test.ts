// Owns the proof that no 60 seconds hold more than a limit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { advance, correct, emptyInMs, emptyWindow, take, waitMs } from './rate-window.ts';

const limit = 10;
const steps = fc.array(
  fc.record({ gapMs: fc.integer({ min: 0, max: 20_000 }), amount: fc.integer({ min: 1, max: 6 }) }),
  { maxLength: 60 },
);

test('no 60 seconds hold more than the limit, and a caller who waits as told gets in', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const window = emptyWindow();
      const taken: { readonly at: number; readonly amount: number }[] = [];
      let now = 1_700_000_000_000;
      for (const { gapMs, amount } of list) {
        now += gapMs;
        advance(window, now);
        const wait = waitMs(window, now, limit, amount);
        assert.ok(wait !== null);
        now += wait;
        advance(window, now);
        assert.equal(waitMs(window, now, limit, amount), 0);
        take(window, amount);
        taken.push({ at: now, amount });
        const recent = taken.filter(({ at }) => at > now - 60_000);
        assert.ok(recent.reduce((sum, each) => sum + each.amount, 0) <= limit);
        assert.equal(
          window.sum,
          window.cells.reduce((sum, cell) => sum + cell, 0),
        );
      }
    }),
  );
});

test('the limit is free again after 61 seconds at the latest', () => {
  const window = emptyWindow();
  advance(window, 1_000_000);
  take(window, limit);
  assert.equal(waitMs(window, 1_000_000, limit, 1), 61_000);
  advance(window, 1_061_000);
  assert.equal(window.sum, 0);
});

test('what can never fit is said to', () => {
  assert.equal(waitMs(emptyWindow(), 0, limit, limit + 1), null);
});

test('a correction replaces what was taken, and is dropped once its second has left the window', () => {
  const window = emptyWindow();
  advance(window, 5000);
  const second = take(window, 8);
  correct(window, second, 8, 3);
  assert.equal(window.sum, 3);
  advance(window, 90_000);
  take(window, 2);
  correct(window, second, 3, 0);
  assert.equal(window.sum, 2);
});

test('a correction whose second has just left changes nothing of the second that took its place', () => {
  const window = emptyWindow();
  advance(window, 5000);
  const second = take(window, 8);
  advance(window, 65_000);
  correct(window, second, 8, 7);
  assert.equal(window.sum, 7);
  advance(window, 66_000);
  take(window, 5);
  correct(window, second, 7, 0);
  assert.equal(window.sum, 5);
});

test('a correction never leaves less than nothing, and so makes no room', () => {
  const window = emptyWindow();
  advance(window, 5000);
  const second = take(window, 2);
  correct(window, second, 5, 0);
  assert.equal(window.sum, 0);
});

test('a clock that runs backwards frees nothing', () => {
  const window = emptyWindow();
  advance(window, 100_000);
  take(window, limit);
  advance(window, 1000);
  assert.equal(window.sum, limit);
});

test('an empty window says so, and a used one says when its last unit leaves', () => {
  const window = emptyWindow();
  assert.equal(emptyInMs(window, 0), 0);
  advance(window, 10_500);
  take(window, 1);
  assert.equal(emptyInMs(window, 10_500), 60_500);
});
