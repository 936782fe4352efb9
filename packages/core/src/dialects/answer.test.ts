// Owns the check that answers are held at their terminal byte and counted once, whole or streamed, ended or cut.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noUsage } from '../metering/usage.ts';
import { readAnswer } from './answer.ts';
import { chunk, delta, estimates, follow, named, sse, start } from './answer-streams.support.ts';
import { totalTokens } from './usage.ts';

const chatUsage = {
  prompt_tokens: 100,
  completion_tokens: 50,
  prompt_tokens_details: { cached_tokens: 60, audio_tokens: 10 },
  completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 5 },
};
const chatBuckets = {
  ...noUsage,
  input: 30,
  cachedInput: 60,
  audioInput: 10,
  output: 25,
  reasoning: 20,
  audioOutput: 5,
};

test('a chat stream passes up to the event with finish_reason, and its usage is read in buckets, however it is cut', () => {
  const open = sse(chunk('say usage', null), chunk('héllo', null));
  const stream = open + sse(chunk('', 'stop'), { id: 'chatcmpl-1', choices: [], usage: chatUsage }, '[DONE]');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), (size) => {
      const { passed, report } = follow('chat', stream, 1, size);
      assert.equal(passed, open);
      assert.deepEqual(report.usage, chatBuckets);
      assert.deepEqual(
        [report.estimated, report.servedModel, report.responseId],
        [false, 'gpt-5-mini-2025', 'chatcmpl-1'],
      );
    }),
  );
});

test('with n = 2 the answer ends with the second choice, or with [DONE]', () => {
  const open = sse(chunk('a', null, 0), chunk('', 'stop', 0), chunk('b', null, 1));
  assert.equal(follow('chat', open + sse(chunk('', 'stop', 1), '[DONE]'), 2).passed, open);
  assert.equal(follow('chat', open + sse('[DONE]'), 2).passed, open);
  const again = open + sse(chunk('', 'stop', 0), chunk('c', null, 1));
  const twice = follow('chat', again, 2);
  assert.deepEqual([twice.passed, twice.ending], [again, 'cut'], 'one choice that finishes twice is one');
});

test('a finish reason is found behind spaces and escapes, and one that cannot be read is held', () => {
  const open = sse(chunk('a', null));
  for (const end of [
    'data: {"choices":[{"finish_reason" : "stop"}]}\n\n',
    'data: {"choices":[{"finish_\\u0072eason":"stop"}]}\n\n',
    'data: {"choices":[{"finish_reason":"stop"}\n\n',
    'data:[DONE]\n\n',
    'data: {"error":{"message":"x"}}\n\n',
    'event: error\ndata: {}\n\n',
  ]) {
    for (const size of [open.length, 1_000])
      assert.equal(follow('chat', open + end, 1, size).passed, open, end);
  }
});

test('an aborted chat stream is a flagged estimate, never zero (litellm#14457)', () => {
  const { report } = follow('chat', sse(chunk('x'.repeat(400), null), chunk('y'.repeat(400), null)));
  assert.deepEqual([report.estimated, report.usage.input, report.usage.output], [true, 40, 200]);
});

test('an Anthropic stream passes up to its stop reason, and start and delta make one count', () => {
  const open = named(start, { type: 'ping' }, delta);
  const usage = {
    output_tokens: 90,
    input_tokens: null,
    cache_creation_input_tokens: 8,
    output_tokens_details: { thinking_tokens: 30 },
    server_tool_use: { web_search_requests: 2 },
  };
  const end = named(
    { type: 'message_delta', ...{ delta: { stop_reason: 'end_turn' }, usage } },
    { type: 'message_stop' },
  );
  for (const size of [1, 7, 100, 10_000]) {
    const { passed, report } = follow('messages', open + end, 1, size);
    assert.equal(passed, open);
    assert.deepEqual(report.usage, {
      ...noUsage,
      input: 10,
      cachedInput: 5,
      cacheWrite5m: 2,
      cacheWrite1h: 6,
      output: 60,
      reasoning: 30,
    });
    assert.deepEqual(
      [report.estimated, report.webSearches, report.modes.serviceTier],
      [false, 2, 'standard'],
    );
    assert.deepEqual(report.createdState, [{ kind: 'response', id: 'msg_1' }]);
  }
});

test("an aborted Anthropic stream keeps the provider's input and estimates the output", () => {
  const { report } = follow('messages', named(start, delta, delta));
  assert.deepEqual(
    [report.estimated, report.usage.input, report.usage.cachedInput, report.usage.output],
    [true, 10, 5, 20],
  );
});

test("what Anthropic's totals leave out is added: compactions to the model, advisors to theirs", () => {
  const own = { input_tokens: 1, output_tokens: 2 };
  const iterations = [
    { type: 'message', ...own },
    { type: 'compaction', input_tokens: 10, output_tokens: 20 },
    { type: 'advisor_message', model: 'claude-opus', input_tokens: 100, output_tokens: 200 },
  ];
  const report = readAnswer(
    'messages',
    JSON.stringify({ id: 'm', type: 'message', usage: { ...own, iterations } }),
    estimates,
  );
  assert.deepEqual([report.usage.input, report.usage.output], [11, 22]);
  assert.deepEqual(
    report.otherModels.map(({ model, usage }) => [model, totalTokens(usage)]),
    [['claude-opus', 300]],
  );
});

test('a responses stream passes up to response.completed, and names all that it made', () => {
  const response = { id: 'resp_1', object: 'response', model: 'gpt-5-x', conversation: { id: 'conv_1' } };
  const open = named(
    { type: 'response.created', ...{ response } },
    { type: 'response.output_text.delta', ...{ item_id: 'msg_1', delta: 'the response.completed event' } },
  );
  const output = [
    { id: 'ci_1', type: 'code_interpreter_call', container_id: 'cntr_1' },
    {
      id: 'msg_1',
      type: 'message',
      content: [{ annotations: [{ type: 'container_file_citation', file_id: 'cfile_1' }] }],
    },
    // What is cited of a file that was there before made none.
    {
      id: 'msg_2',
      type: 'message',
      content: [{ annotations: [{ type: 'file_citation', file_id: 'file_v', container_id: 'cntr_v' }] }],
    },
    // What stands in the hands of the caller, or of a tool of theirs, makes nothing.
    { id: 'fc_1', type: 'function_call', arguments: '{}', file_id: 'file_x', input: { file_id: 'file_y' } },
    { id: 'ml_1', type: 'mcp_list_tools', tools: [{ input_schema: { file_id: 'file_z' } }] },
    { id: 'fs_1', type: 'file_search_call', results: [{ attributes: { file_id: 'file_w' } }] },
  ];
  const usage = {
    input_tokens: 9,
    input_tokens_details: { cached_tokens: 4, cache_write_tokens: 2 },
    output_tokens: 8,
    output_tokens_details: { reasoning_tokens: 3 },
  };
  for (const type of ['response.completed', 'response.incomplete', 'response.failed']) {
    const { passed, report } = follow(
      'responses',
      open + named({ type, ...{ response: { ...response, output, usage } } }),
    );
    assert.equal(passed, open);
    assert.deepEqual(report.usage, {
      ...noUsage,
      input: 3,
      cachedInput: 4,
      cacheWrite5m: 2,
      output: 5,
      reasoning: 3,
    });
    assert.deepEqual(
      new Set(report.createdState.map(({ id }) => id)),
      new Set(['resp_1', 'conv_1', 'ci_1', 'msg_1', 'msg_2', 'cntr_1', 'cfile_1', 'fc_1', 'ml_1', 'fs_1']),
    );
  }
});

test('whole answers give the same buckets as streams (litellm#9812)', () => {
  const chat = readAnswer('chat', JSON.stringify({ id: 'c', model: 'm', usage: chatUsage }), estimates);
  assert.deepEqual([chat.usage, chat.estimated], [chatBuckets, false]);
  const vectors = JSON.stringify({
    data: [{ embedding: Array.from({ length: 20_000 }, () => 0.125) }],
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });
  assert.deepEqual(readAnswer('embeddings', vectors, estimates).usage, { ...noUsage, input: 7 });
  const counted = readAnswer('count_tokens', '{"input_tokens":99}', estimates);
  assert.deepEqual([counted.usage, counted.estimated], [noUsage, false]);
  assert.equal(readAnswer('chat', '<html>', estimates).estimated, true);
});

test('a stream that makes things without end fills no memory: what is beyond the bound is nobody’s', () => {
  const item = (id: number) => ({ type: 'response.output_item.added', ...{ item: { id: `msg_${id}` } } });
  const events = Array.from({ length: 10_050 }, (_, id) => item(id));
  const { report } = follow('responses', named(...events));
  assert.equal(report.createdState.length, 10_000);
});

test('an id that no later request could name is nobody’s, and what is passed through makes nothing by its form', () => {
  const made = (endpoint: 'responses' | 'passthrough', id: string) =>
    readAnswer(endpoint, JSON.stringify({ id, object: 'response' }), estimates).createdState;
  for (const id of ['resp_1', 'r'.repeat(256), 'é'])
    assert.deepEqual(made('responses', id), [{ kind: 'response', id }]);
  for (const id of ['', 'r'.repeat(257), 'a\u0000b', '\ud800'])
    assert.deepEqual(made('responses', id), [], id);
  assert.deepEqual(made('passthrough', 'resp_1'), []);
});

test('a count that stands in every event is no last word until the answer has ended', () => {
  const counted = (finish: string | null) => ({
    ...chunk('x'.repeat(400), finish),
    usage: { prompt_tokens: 10, completion_tokens: 1 },
  });
  const cut = follow('chat', sse(counted(null))).report;
  assert.deepEqual([cut.estimated, cut.usage.output], [true, 100]);
  const whole = follow('chat', sse(counted(null), counted('stop'))).report;
  assert.deepEqual([whole.estimated, whole.usage.output], [false, 1]);
});

test('an estimate goes up to what the provider was held to, and no further', () => {
  const answer = JSON.stringify({ choices: [{ message: { content: 'x'.repeat(400) } }] });
  const output = (mostOutputTokens?: number) =>
    readAnswer(
      'chat',
      answer,
      mostOutputTokens === undefined ? estimates : { ...estimates, mostOutputTokens },
    ).usage.output;
  assert.deepEqual([output(), output(99), output(100), output(101)], [100, 99, 100, 100]);
});
