// Claims about the rule for others beside a fault: it sees harm, and is not deceived by the noise of a machine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertUnharmed, type Round } from './others.ts';

/** A round whose p99 are these. */
const round = (alone: number, beside: number): Round => ({
  alone: Array.from({ length: 200 }, () => alone),
  beside: Array.from({ length: 200 }, () => beside),
});
/** Seven rounds as they were measured beside a fault that harms nobody, on two busy cores. */
const noisy = [
  [51, 81],
  [53, 41],
  [53, 50],
  [103, 51],
  [47, 38],
  [47, 79],
  [43, 64],
] as const;

test('the noise of a machine is no harm', () => {
  assert.match(assertUnharmed(noisy.map(([alone, beside]) => round(alone, beside))), /3 harmed/);
});

test('a p99 that doubles is seen through the same noise', () => {
  const doubled = noisy.map(([alone, beside]) => round(alone, beside * 2));
  assert.throws(() => assertUnharmed(doubled), /p99 51.0 -> 102.0 ms/);
});

test('a p99 that rises by a quarter in every round is seen', () => {
  assert.throws(() => assertUnharmed(Array.from({ length: 7 }, () => round(40, 50))), /7 harmed/);
});

test('one long round is held to the fifth by itself', () => {
  assert.doesNotThrow(() => assertUnharmed([round(40, 47)]));
  assert.throws(() => assertUnharmed([round(40, 48)]), /1 harmed/);
});
