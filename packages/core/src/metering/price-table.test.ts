// Owns the proof of how a model finds its price, and what an unknown one costs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { priceTable } from './price-table.generated.ts';
import { findPrice, isMatch, priceModel } from './price-table.ts';

const fallback = { input: 9_000_000, output: 90_000_000 };

test('a model that no table knows costs the configured default, never nothing', () => {
  const model = { providerKind: 'openai', upstreamName: 'model-of-tomorrow' } as const;
  assert.deepEqual(priceModel(priceTable, model, fallback), {
    price: fallback,
    source: 'default',
    version: 'default',
  });
});

test('a model that is not sold by the token costs the configured default', () => {
  const model = { providerKind: 'openai', upstreamName: 'whisper-1' } as const;
  assert.equal(priceModel(priceTable, model, fallback).source, 'default');
});

test('the organization’s own price wins over the table', () => {
  const own = { input: 1, output: 2 };
  const model = { providerKind: 'openai', upstreamName: 'gpt-4o', price: own } as const;
  assert.deepEqual(priceModel(priceTable, model, fallback), {
    price: own,
    source: 'model',
    version: 'model',
  });
});

test('a price from the table carries the table’s version', () => {
  const model = { providerKind: 'anthropic', upstreamName: 'claude-sonnet-4-5-20250929' } as const;
  const found = priceModel(priceTable, model, fallback);
  assert.equal(found.version, priceTable.version);
  assert.equal(found.price.input, 3_000_000);
});

test('an upstream that only speaks OpenAI’s dialect is not billed at OpenAI’s prices', () => {
  assert.equal(findPrice(priceTable, 'openai_compatible', 'gpt-4o'), undefined);
  assert.equal(findPrice(priceTable, 'sandbox', 'gpt-4o'), undefined);
});

test('a date without dashes finds the dated model, and a number that is no date does not', () => {
  assert.equal(findPrice(priceTable, 'openai', 'GPT-4o-20240806 ')?.id, 'gpt-4o');
  assert.equal(findPrice(priceTable, 'openai', 'gpt-4o-20240231'), undefined);
});

test('a pattern fits whole names, beginnings, ends, parts and digits', () => {
  assert.ok(isMatch('a-b', 'a-b') && !isMatch('a-b', 'a-bc'));
  assert.ok(isMatch('a*', 'abc') && !isMatch('a*', 'bca'));
  assert.ok(isMatch('*c', 'abc') && !isMatch('*c', 'cab'));
  assert.ok(isMatch('*b*', 'abc') && !isMatch('*b*', 'xyz'));
  assert.ok(isMatch('v-##', 'v-12') && !isMatch('v-##', 'v-1x') && !isMatch('v-##', 'v-123'));
});

test('a model whose name says sound never pays for it as for text', () => {
  const sound = (upstreamName: string, price?: { input: number; output: number; audioInput?: number }) => {
    const found = priceModel(priceTable, { providerKind: 'openai', upstreamName, price }, fallback).price;
    return [found.audioInput, found.audioOutput];
  };
  assert.deepEqual(sound('gpt-4o-audio-preview-2024-12-17'), [40_000_000, 80_000_000]);
  assert.deepEqual(sound('gpt-4o-audio-preview-2024-10-01'), [100_000_000, 200_000_000]);
  assert.deepEqual(sound('gpt-4o-mini-audio-preview'), [10_000_000, 20_000_000]);
  for (const { id, names, price } of priceTable.vendors.openai) {
    if (price === null || !/audio|realtime/.test(id)) continue;
    const [name = id] = names;
    const [heard = 0, spoken = 0] = sound(name.replaceAll('*', ''));
    assert.ok(heard > price.input && spoken > price.output, id);
  }
  assert.deepEqual(sound('qwen-omni'), [67 * 9_000_000, 34 * 90_000_000]);
  assert.deepEqual(sound('my-audio', { input: 1, output: 2 }), [67, 68]);
  assert.deepEqual(sound('my-audio', { input: 1, output: 2, audioInput: 3 }), [3, 68]);
  assert.deepEqual(sound('gpt-4o'), [undefined, undefined]);
});
