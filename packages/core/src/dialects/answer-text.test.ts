// Checks that each text that a model writes into a stream is counted once, in every dialect, and nothing else is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { named, sse } from './answer-streams.support.ts';
import { createTextCounter } from './answer-text.ts';
import type { EndpointId } from './endpoints.ts';

const count = (endpoint: EndpointId, ...events: readonly string[]): number => {
  const counter = createTextCounter(endpoint);
  return events.reduce((total, event) => total + counter(event), 0);
};
const delta = (value: object, more: object = {}) =>
  sse({ id: 'x', choices: [{ index: 0, delta: value, finish_reason: null, ...more }], usage: null });

test('a Responses stream says each text four times and is counted once', () => {
  const text = 'word '.repeat(100);
  const part = { type: 'output_text', text, annotations: [] };
  const item = { id: 'msg_1', type: 'message', role: 'assistant', content: [part] };
  const event = (type: string, more: object) => named({ type, ...more });
  const stream = [
    event('response.created', { response: { id: 'r', instructions: 'be brief', output: [] } }),
    event('response.reasoning_summary_text.delta', { item_id: 'rs_1', delta: 'hm' }),
    event('response.function_call_arguments.delta', { item_id: 'fc_1', delta: '{"a":1}' }),
    event('response.function_call_arguments.done', { item_id: 'fc_1', arguments: '{"a":1}' }),
    event('response.refusal.delta', { delta: 'no' }),
    event('response.audio.delta', { delta: 'UklGRg'.repeat(100) }),
    event('response.output_text.delta', { item_id: 'msg_1', delta: text }),
    event('response.output_text.done', { item_id: 'msg_1', text }),
    event('response.content_part.done', { item_id: 'msg_1', part }),
    event('response.output_item.done', { item }),
    event('response.completed', { response: { id: 'r', output: [item] } }),
  ];
  assert.equal(count('responses', ...stream), text.length + 'hm{"a":1}no'.length);
  assert.equal(count('passthrough', ...stream.slice(6)), text.length);
});

test('thoughts, refusals, arguments and transcripts of a chat are counted; roles, ids, sound and repeats are not', () => {
  for (const [value, expected] of [
    [{ role: 'assistant', content: 'four' }, 4],
    [{ reasoning_content: 'thinking ' }, 9],
    [{ reasoning: 'thinking ', reasoning_details: [{ type: 'reasoning.text', text: 'thinking ' }] }, 9],
    [{ reasoning: 'thinking ', reasoning_content: 'thinking ', content: 'x' }, 10],
    [{ refusal: 'I will not', content: null }, 10],
    [{ audio: { id: 'audio_1', transcript: 'hello', data: 'AAAA', expires_at: 9 } }, 5],
    [{ function_call: { name: 'f', arguments: '{}' } }, 3],
    [{ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { arguments: '{"a":' } }] }, 5],
    [{ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'so' }] }] }, 2],
    [{}, 0],
  ] as const)
    assert.equal(count('chat', delta(value)), expected, JSON.stringify(value));
  const said = { logprobs: { content: [{ token: 'four', logprob: 0, bytes: [102] }] } };
  assert.equal(count('chat', delta({ content: 'four' }, said)), 4);
  // Some repeat the whole message so far beside each delta.
  assert.equal(count('chat', delta({ content: 'four' }, { message: { content: 'all four' } })), 4);
});

test("a message's text, thought and tool input are counted; signatures, citations and results of tools are not", () => {
  const event = (value: object) => named({ type: 'content_block_delta', ...{ index: 0, delta: value } });
  const stream = [
    named({ type: 'message_start', ...{ message: { id: 'm', content: [] } } }),
    named({ type: 'content_block_start', ...{ content_block: { type: 'x_result', text: 'of a tool' } } }),
    event({ type: 'thinking_delta', thinking: 'hm' }),
    event({ type: 'signature_delta', signature: 'EqoB'.repeat(50) }),
    event({ type: 'text_delta', text: 'yes' }),
    event({ type: 'citations_delta', citation: { type: 'char_location', cited_text: 'of yours' } }),
    event({ type: 'input_json_delta', partial_json: '{"' }),
    named({ type: 'message_delta', ...{ delta: { stop_reason: 'end_turn', stop_sequence: 'END' } } }),
  ];
  assert.equal(count('messages', ...stream), 7);
});

test('text without a delta is counted where a dialect has none', () => {
  assert.equal(
    count('completions', sse({ choices: [{ text: 'four' }] }, { choices: [{ text: 'more' }] })),
    8,
  );
  assert.equal(count('passthrough', sse({ candidates: [{ content: { parts: [{ text: 'four' }] } }] })), 4);
});

test('a text has the bytes that it has in UTF-8 however it is escaped, and a quoted member is text', () => {
  const text = fc.string({
    unit: fc.constantFrom('"', '\\', '\n', 'a', '中', '😀', '"delta":"', '\u2028', ' '),
  });
  const escaped = (json: string) =>
    json.replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const bytes = (content: string) => new TextEncoder().encode(content).length;
  const spaced = (json: string) => json.replace(/"(delta|content|choices)":/g, '"$1" : ');
  fc.assert(
    fc.property(text, (content) => {
      const plain = delta({ content });
      for (const one of [plain, escaped(plain).replaceAll('\\u000a', '\n')])
        assert.equal(count('chat', one), bytes(content));
      if (!content.includes('delta')) assert.equal(count('chat', spaced(plain)), bytes(content));
      assert.equal(count('responses', named({ type: 'a.delta', ...{ delta: content } })), bytes(content));
    }),
  );
});

test('what breaks off within a text ends the count', () => {
  for (const broken of [
    'data: {"delta":{"content":"abc',
    'data: {"delta":"abc',
    'data: {"delta"',
    'data: "delta":',
  ])
    assert.ok(count('chat', broken) <= 3);
});
