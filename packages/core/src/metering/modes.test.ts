// Claims about service tiers and dearer modes: none is silently the standard price, and none costs more than reserved.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noModes, readModes } from '../dialects/call-modes.ts';
import { chargedFactor, type Multiplied, multiplied, multipliedVersion, reservedFactor } from './modes.ts';

const openai = (model: string): Multiplied => ({ dialect: 'openai', model, own: undefined });
const claude: Multiplied = { dialect: 'anthropic', model: 'claude-opus-4-6', own: undefined };
const tier = (serviceTier: string) => ({ ...noModes, serviceTier });

test('a mode that nobody names costs nothing more', () => {
  assert.equal(reservedFactor(openai('gpt-5'), noModes), 1_000);
  assert.equal(chargedFactor(claude, noModes, noModes), 1_000);
  for (const name of ['auto', 'default', 'on_demand'])
    assert.equal(reservedFactor(openai('gpt-5'), tier(name)), 1_000);
  for (const name of ['auto', 'standard_only', 'standard', 'priority'])
    assert.equal(chargedFactor(claude, noModes, tier(name)), 1_000);
});

// Published prices per million tokens: priority, and standard.
for (const [model, dear, usual] of [
  ['gpt-5.6-sol', 8, 4],
  ['gpt-5.6-luna', 0.4, 0.2],
  ['gpt-5.5', 12.5, 5],
  ['gpt-5.4-mini-2026-03-17', 1.5, 0.75],
  ['gpt-5-mini', 0.45, 0.25],
  ['gpt-4.1-2025-04-14', 3.5, 2],
  ['gpt-4.1-nano', 0.2, 0.1],
  ['gpt-4o-2024-11-20', 4.25, 2.5],
  ['gpt-4o-2024-05-13', 8.75, 5],
  ['gpt-4o-mini', 0.25, 0.15],
  ['o4-mini', 2, 1.1],
] as const) {
  test(`priority of ${model} costs what is published, at the most a thousandth more`, () => {
    const factor = reservedFactor(openai(model), tier('priority')) / 1_000;
    assert.ok(factor >= dear / usual && factor < dear / usual + 0.001, `${factor}`);
    assert.equal(chargedFactor(openai(model), noModes, tier('priority')), factor * 1_000);
    assert.equal(reservedFactor(openai(model), tier('fast')), factor * 1_000);
  });
}

test('a tier, a speed or a region without a known price is charged above each that is known', () => {
  assert.equal(reservedFactor(openai('gpt-5-pro'), tier('priority')), 3_000);
  assert.equal(reservedFactor(openai('gpt-5'), tier('turbo')), 3_000);
  assert.equal(reservedFactor(openai('gpt-5'), readModes('openai', { service_tier: 7 })), 3_000);
  assert.equal(reservedFactor(claude, readModes('anthropic', { speed: 'faster' })), 6_000);
  assert.equal(reservedFactor(claude, readModes('anthropic', { inference_geo: 'eu' })), 1_500);
});

test('flex is reserved at the usual price, and is half only where its model has it and the answer grants it', () => {
  assert.equal(reservedFactor(openai('gpt-5'), tier('flex')), 1_000);
  assert.equal(chargedFactor(openai('gpt-5'), tier('flex'), noModes), 1_000);
  assert.equal(chargedFactor(openai('gpt-5'), tier('flex'), tier('default')), 1_000);
  assert.equal(chargedFactor(openai('gpt-5-2025-08-07'), tier('flex'), tier('flex')), 500);
  assert.equal(chargedFactor(openai('llama'), tier('flex'), tier('flex')), 1_000);
});

test('priority that the answer does not grant costs the usual price, and one that it does not mention the dear one', () => {
  assert.equal(chargedFactor(openai('gpt-5'), tier('priority'), tier('default')), 1_000);
  assert.equal(chargedFactor(openai('gpt-5'), tier('priority'), noModes), 2_000);
  assert.equal(chargedFactor(openai('gpt-5'), tier('priority'), tier('auto')), 2_000);
});

test('fast mode and the region multiply each other', () => {
  const both = readModes('anthropic', { speed: 'fast', inference_geo: 'us', service_tier: 'auto' });
  assert.equal(reservedFactor(claude, both), 6_600);
  assert.equal(reservedFactor({ ...claude, model: 'claude-opus-4-8' }, both), 2_200);
  assert.equal(chargedFactor(claude, both, { ...noModes, speed: 'standard' }), 1_100);
  assert.equal(chargedFactor(claude, noModes, { ...noModes, inferenceGeo: 'us' }), 1_100);
});

test('a speed and a region that were asked for are charged where the answer does not mention them', () => {
  const asked = readModes('anthropic', { speed: 'fast', inference_geo: 'us' });
  assert.equal(chargedFactor(claude, asked, noModes), 6_600);
  assert.equal(chargedFactor(claude, asked, { ...noModes, inferenceGeo: 'global' }), 6_000);
});

test('a mode is the same word in any case, and what is longer than a word is none that is known', () => {
  for (const name of ['Priority', 'PRIORITY', 'priority'])
    assert.equal(reservedFactor(openai('gpt-5'), readModes('openai', { service_tier: name })), 2_000, name);
  assert.equal(reservedFactor(claude, readModes('anthropic', { inference_geo: 'US' })), 1_100);
  const long = readModes('openai', { service_tier: 'x'.repeat(65) });
  assert.deepEqual([long.serviceTier, reservedFactor(openai('gpt-5'), long)], ['?', 3_000]);
});

test('an organization states its own tiers', () => {
  const own: Multiplied = { dialect: 'openai', model: 'gpt-5', own: { priority: 1_300, flex: 400 } };
  assert.equal(reservedFactor(own, tier('priority')), 1_300);
  assert.equal(chargedFactor(own, noModes, tier('flex')), 400);
  assert.equal(reservedFactor(own, tier('constructor')), 3_000);
});

test('money is multiplied exactly and rounded up, and the version of the price says by what', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat(100_000), (nanos, factor) => {
      const exact = (BigInt(nanos) * BigInt(factor) + 999n) / 1_000n;
      const most = BigInt(Number.MAX_SAFE_INTEGER);
      assert.equal(BigInt(multiplied(nanos, factor)), exact > most ? most : exact);
    }),
  );
  assert.equal(multipliedVersion('model', 1_000), 'model');
  assert.equal(multipliedVersion('model', 2_000), 'model*2000;modes-2026-11-28');
});
