// Owns the proof that the self-test fails where a limiter does not limit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeter } from './meter.ts';
import { selfTest } from './self-test.ts';
import { createInProcessCounters } from './shared-counters.ts';

test('a meter that counts passes its self-test, twice, and keeps nothing of it', () => {
  const meter = createMeter({ now: () => 1 });
  selfTest(meter);
  selfTest(meter);
  assert.deepEqual(meter.olderThan(-1), []);
});

test('a limiter that is written and never asked fails the self-test (litellm #27381)', () => {
  const counters = { ...createInProcessCounters(), take: () => [] };
  assert.throws(() => selfTest(createMeter({ now: () => 1, counters })), /let a call pass its budget/);
});

test('a limiter that never gives back fails the self-test', () => {
  const counters = { ...createInProcessCounters(), settle: () => [] };
  assert.throws(() => selfTest(createMeter({ now: () => 1, counters })), /kept what was released/);
});
