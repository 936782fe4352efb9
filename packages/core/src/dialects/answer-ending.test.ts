// Owns the check that an answer which breaks off is never taken for one that ended.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAnswer } from './answer.ts';
import { chunk, delta, estimates, follow, named, sse, start } from './answer-streams.support.ts';
import type { EndpointId } from './endpoints.ts';

const responseEvent = (type: string) => ({ type, ...{ response: { id: 'resp_1', object: 'response' } } });
const streams: readonly (readonly [EndpointId, string, readonly string[]])[] = [
  ['chat', 'a finish reason', [sse(chunk('a', null)), sse(chunk('', 'stop'))]],
  ['chat', '[DONE]', [sse(chunk('a', null)), sse('[DONE]')]],
  [
    'completions',
    'a finish reason',
    [sse({ choices: [{ text: 'a' }] }), sse({ choices: [{ finish_reason: 'length' }] })],
  ],
  [
    'messages',
    'message_stop',
    [
      named(start, delta),
      named({ type: 'message_delta', ...{ delta: { stop_reason: 'end_turn' } } }),
      named({ type: 'message_stop' }),
    ],
  ],
  ...['completed', 'incomplete', 'cancelled'].map(
    (end) =>
      [
        'responses',
        `response.${end}`,
        [named(responseEvent('response.created')), sse('[DONE]'), named(responseEvent(`response.${end}`))],
      ] as const,
  ),
];
for (const [endpoint, name, parts] of streams) {
  test(`a ${endpoint} stream is whole with ${name}, and cut before it, wherever that is`, () => {
    const all = parts.join('');
    const last = all.length - (parts.at(-1)?.length ?? 0);
    assert.equal(follow(endpoint, all).ending, 'whole');
    assert.equal(follow(endpoint, all, 1, 7).report.ending, 'whole');
    for (let end = 0; end < last + 8; end += 1)
      assert.equal(follow(endpoint, all.slice(0, end)).ending, 'cut');
  });
}

test("an end of another dialect's, or one that cannot be read, is held and ends nothing", () => {
  for (const [endpoint, end] of [
    ['chat', named({ type: 'message_stop' })],
    ['chat', 'data: {"choices":[{"finish_reason":"stop"}\n\n'],
    ['messages', sse('[DONE]')],
    ['messages', sse(chunk('', 'stop'))],
    ['messages', 'event: message_stop\ndata: {"type":"mess\n\n'],
    ['responses', named({ type: 'message_stop' })],
    ['responses', 'event: response.completed\ndata: {"type":"respons\n\n'],
  ] as const) {
    const { ending, passed } = follow(endpoint, end);
    assert.deepEqual([ending, passed], ['cut', ''], end);
  }
  assert.equal(follow('chat', sse(chunk('', 'stop', 0)), 2).ending, 'cut', 'a choice is missing');
  assert.equal(
    follow('passthrough', sse({ type: 'speech.audio.done' })).ending,
    'whole',
    'nobody here knows its end',
  );
});

test('an empty reason is none: the text goes on', () => {
  const open = sse({ choices: [{ index: 0, delta: { content: 'a' }, finish_reason: '' }] });
  const { passed, ending } = follow('chat', open + open + sse(chunk('', 'stop')));
  assert.deepEqual([passed, ending], [open + open, 'whole']);
  assert.equal(follow('chat', open).ending, 'cut');
  const going = named({ type: 'message_delta', ...{ delta: { stop_reason: '' } } });
  assert.equal(follow('messages', going).passed, going);
});

test("an error that the provider reports is an answer's end, and no success, whatever precedes or follows it", () => {
  for (const [endpoint, text] of [
    ['chat', sse(chunk('a', null), { error: { message: 'x' } })],
    ['chat', sse(chunk('', 'stop'), { error: { message: 'x' } }, '[DONE]')],
    ['messages', named(start, { type: 'error', ...{ error: { type: 'overloaded_error' } } })],
    ['responses', named({ type: 'error' })],
    ['responses', named(responseEvent('response.failed'))],
    ['responses', sse(responseEvent('response.failed'))],
    ['messages', sse({ type: 'error' })],
  ] as const)
    assert.equal(follow(endpoint, text).ending, 'error', text);
  const whole = (endpoint: EndpointId, text: string) => readAnswer(endpoint, text, estimates).ending;
  assert.equal(whole('chat', '{"error":{"message":"x"}}'), 'error');
  assert.equal(whole('responses', '{"id":"resp_1","error":null}'), 'whole');
  assert.equal(
    whole('response_object', '{"id":"resp_1","error":{"code":"x"}}'),
    'whole',
    'the error of a stored answer',
  );
});

test('a whole answer is cut wherever its JSON is, also behind the vectors that are not parsed', () => {
  const usage = { prompt_tokens: 7, total_tokens: 7 };
  const vectors = [{ object: 'embedding', index: 0, embedding: Array.from({ length: 20_000 }, () => 0.125) }];
  const bodies: readonly (readonly [EndpointId, string])[] = [
    [
      'chat',
      JSON.stringify({
        id: 'c',
        choices: [{ message: { content: 'a' } }],
        usage: { prompt_tokens: 1, completion_tokens: 2 },
      }),
    ],
    ['messages', JSON.stringify({ id: 'm', type: 'message', content: [], usage: { input_tokens: 1 } })],
    ['embeddings', JSON.stringify({ object: 'list', data: vectors, model: 'm', usage })],
    ['embeddings', JSON.stringify({ usage, object: 'list', data: vectors })],
    ['embeddings', JSON.stringify({ object: 'list', data: vectors })],
  ];
  for (const [endpoint, body] of bodies) {
    const ending = (text: string) => readAnswer(endpoint, text, estimates).ending;
    assert.equal(ending(body), 'whole');
    assert.equal(ending(`\n  ${body}\n`), 'whole');
    for (let cut = 1; cut < 80 && cut <= body.length; cut += 1)
      assert.equal(ending(body.slice(0, -cut)), 'cut');
  }
  for (const text of ['', '<html>', 'null', '[]', '"ok"'])
    assert.equal(readAnswer('chat', text, estimates).ending, 'cut');
});
