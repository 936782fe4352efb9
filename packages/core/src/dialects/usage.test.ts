// Checks that the counts of every provider become buckets that never overlap, and that what counts nothing is no count.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cost } from '../metering/cost.ts';
import { noUsage } from '../metering/usage.ts';
import { readAnswer } from './answer.ts';
import { estimates, follow, named, sse, start } from './answer-streams.support.ts';
import type { EndpointId } from './endpoints.ts';
import type { JsonRecord } from './request-builder.ts';
import { mergeUsage, readUsage, totalTokens } from './usage.ts';

const words = 'word '.repeat(300);
const chat = (usage: unknown, content = words) =>
  JSON.stringify({ id: 'c', choices: [{ index: 0, message: { role: 'assistant', content } }], usage });
const read = (endpoint: EndpointId, body: object) => readAnswer(endpoint, JSON.stringify(body), estimates);

test('a usage that counts nothing beside an answer that says something is a flagged estimate', () => {
  for (const usage of [
    {},
    { total_tokens: 1900 },
    { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    { prompt_tokens: '12', completion_tokens: '7' },
    { prompt_tokens: 1.5, completion_tokens: -7 },
    { promptTokens: 12, candidatesTokens: 7 },
  ]) {
    const { estimated, usage: counted } = readAnswer('chat', chat(usage), estimates);
    assert.deepEqual([estimated, counted.input, counted.output], [true, 40, 375], JSON.stringify(usage));
    const chunk = { id: 'c', choices: [{ index: 0, delta: { content: words }, finish_reason: 'stop' }] };
    const { report } = follow('chat', sse(chunk, { choices: [], usage }, '[DONE]'));
    assert.deepEqual([report.estimated, report.usage.output], [true, 375], JSON.stringify(usage));
  }
  const half = readAnswer('chat', chat({ prompt_tokens: 12 }), estimates);
  assert.deepEqual([half.estimated, half.usage.input, half.usage.output], [true, 12, 375]);
});

test("zeros of an answer that says nothing are the provider's word", () => {
  const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  const { estimated, usage: counted } = readAnswer('chat', chat(usage, ''), estimates);
  assert.deepEqual([estimated, counted], [false, noUsage]);
  assert.equal(readAnswer('chat', chat({}, ''), estimates).estimated, true);
});

test('embeddings without usage cost their input alone, and a total that stands alone is their input', () => {
  const data = [{ object: 'embedding', embedding: Array.from({ length: 9_000 }, () => 0.125), index: 0 }];
  const bare = read('embeddings', { object: 'list', data });
  assert.deepEqual([bare.estimated, bare.usage], [true, { ...noUsage, input: 40 }]);
  const total = read('embeddings', { object: 'list', data, usage: { total_tokens: 1900 } });
  assert.deepEqual([total.estimated, total.usage], [false, { ...noUsage, input: 1900 }]);
  const reranked = read('passthrough', { results: [{ index: 0 }], usage: { total_tokens: 19 } });
  assert.deepEqual([reranked.estimated, reranked.usage.input], [false, 19]);
  const heard = read('passthrough', { text: 'hello', usage: { type: 'duration', seconds: 600 } });
  assert.deepEqual([heard.estimated, heard.usage.input], [true, 40]);
});

test('reasoning that is counted beside the output is counted, and never twice', () => {
  const output = (usage: JsonRecord) => {
    const counted = readUsage(usage, false).usage;
    return [counted.input, counted.output, counted.reasoning];
  };
  const beside = { prompt_tokens: 12, completion_tokens: 9 };
  const told = { completion_tokens_details: { reasoning_tokens: 300 } };
  assert.deepEqual(output({ ...beside, total_tokens: 321, ...told }), [12, 9, 300], 'xAI');
  assert.deepEqual(output({ ...beside, total_tokens: 321 }), [12, 9, 300], "Gemini's OpenAI form");
  assert.deepEqual(output({ ...beside, total_tokens: 999, ...told }), [12, 9, 300], 'no more than is told');
  const within = { prompt_tokens: 12, completion_tokens: 309, total_tokens: 321 };
  assert.deepEqual(output({ ...within, ...told }), [12, 9, 300], 'OpenAI');
  assert.deepEqual(output({ completion_tokens: 9, total_tokens: 21 }), [12, 9, 0], 'the rest is the input');
  const responses = { input_tokens: 12, output_tokens: 9, total_tokens: 321 };
  assert.deepEqual(output({ ...responses, output_tokens_details: { reasoning_tokens: 300 } }), [12, 9, 300]);
});

test("Anthropic's cache is read wherever its members stand", () => {
  const usage = {
    input_tokens: 10,
    cache_read_input_tokens: 100_000,
    cache_creation_input_tokens: 50_000,
    output_tokens: 5,
  };
  const expected = { ...noUsage, input: 10, cachedInput: 100_000, cacheWrite5m: 50_000, output: 5 };
  const body = { id: 'm', type: 'message', content: [{ type: 'text', text: 'x' }], usage };
  for (const endpoint of ['messages', 'passthrough', 'chat'] as const) {
    const { estimated, usage: counted } = read(endpoint, body);
    assert.deepEqual([estimated, counted], [false, expected], endpoint);
  }
  const last = {
    type: 'message_delta',
    ...{ delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } },
  };
  const { report } = follow('passthrough', named(start, last, { type: 'message_stop' }));
  assert.deepEqual([report.usage.cachedInput, report.usage.cacheWrite1h, report.usage.output], [5, 6, 9]);
});

test('a cache is read by the names of DeepSeek and Moonshot, too', () => {
  for (const name of ['prompt_cache_hit_tokens', 'cached_tokens']) {
    const { usage } = readUsage({ prompt_tokens: 1000, completion_tokens: 5, [name]: 900 }, false);
    assert.deepEqual(usage, { ...noUsage, input: 100, cachedInput: 900, output: 5 });
  }
});

test("a stream's usage is read where Moonshot and Groq say it", () => {
  const usage = { prompt_tokens: 1000, completion_tokens: 5, total_tokens: 1005 };
  const open = { id: 'c', choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: null }] };
  const end = { index: 0, delta: {}, finish_reason: 'stop' };
  for (const last of [
    { id: 'c', choices: [{ ...end, usage }] },
    { id: 'c', choices: [end], x_groq: { id: 'r', usage } },
  ]) {
    const { report } = follow('chat', sse(open, last, '[DONE]'));
    assert.deepEqual([report.estimated, report.usage.input, report.usage.output], [false, 1000, 5]);
  }
});

test('absurd counts never make a negative or overlapping bucket', () => {
  const number = fc.oneof(fc.integer({ min: -5, max: 500 }), fc.double(), fc.constant('9'));
  const valid = (value: unknown): number =>
    typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
  fc.assert(
    fc.property(fc.array(number, { minLength: 8, maxLength: 8 }), fc.boolean(), (some, isAlone) => {
      const [input, cached, written, heard, output, reasoned, said, total] = some;
      const usage = {
        prompt_tokens: input,
        completion_tokens: output,
        total_tokens: total,
        prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written, audio_tokens: heard },
        completion_tokens_details: { reasoning_tokens: reasoned, audio_tokens: said },
      };
      const { usage: counted } = readUsage(usage, isAlone);
      for (const count of Object.values(counted)) assert.ok(Number.isSafeInteger(count) && count >= 0);
      const [least, all] = [valid(input) + valid(output), totalTokens(counted)];
      assert.ok(all >= least && all <= Math.max(least, valid(total)), JSON.stringify(counted));
    }),
  );
});

test('counts whose sum no number can hold stay counts that can be priced', () => {
  const most = Number.MAX_SAFE_INTEGER;
  const cache_creation = { ephemeral_1h_input_tokens: most - 1, ephemeral_5m_input_tokens: most };
  const compaction = { type: 'compaction', input_tokens: most, output_tokens: most };
  const { usage } = readUsage(
    { input_tokens: most, output_tokens: 1, cache_creation, iterations: [compaction] },
    false,
  );
  for (const count of Object.values(usage)) assert.ok(Number.isSafeInteger(count), JSON.stringify(usage));
  assert.ok(Number.isSafeInteger(totalTokens(usage)) && cost({ input: 1_000, output: 1_000 }, usage) > 0);
});

test('a stream that says new names in every usage piles up none of them, and its last counts hold', () => {
  const events = Array.from({ length: 9 }, (_, i) => ({ [`name_${i}`]: 1, prompt_tokens: i, speed: null }));
  const merged = events.reduce<JsonRecord>((before, next) => mergeUsage(before, next), { speed: 'fast' });
  assert.deepEqual(merged, { prompt_tokens: 8, speed: 'fast' });
});
