// Owns the claims about the built-in provider: the official clients parse it, and it behaves as a network would.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { embed, generateText, streamText } from 'ai';
import OpenAI from 'openai';
import type { Upstream, UpstreamCall } from '../upstream.ts';
import { exchange, type Listening, listenHttp, post, sleep } from './fake-provider.ts';
import { createSandboxUpstream } from './sandbox.ts';

const label = 'sandbox: no model ran; the last user text is: hello wide world';
const user = [{ role: 'user' as const, content: 'hello wide world' }];

/** The smallest gateway: what it is sent goes to the upstream, what comes back goes to the client. */
function front(upstream: Upstream): Promise<Listening> {
  return listenHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = 'GET', url: path = '/' } = request;
      const call: UpstreamCall = upstream.send(
        { method, path, headers: [], body: Buffer.concat(chunks) },
        {
          onHeaders: (status, headers) => response.writeHead(status, [...headers]),
          onData: (chunk) => response.write(chunk),
          onEnd: () => response.end(),
          onError: () => response.destroy(),
        },
      );
      response.on('close', () => call.abort());
    });
  });
}

async function withFront(run: (origin: string) => Promise<void>): Promise<void> {
  const server = await front(createSandboxUpstream({ now: () => 1_700_000_000_123 }));
  try {
    await run(server.origin);
  } finally {
    await server.close();
  }
}

function openaiAt(origin: string): OpenAI {
  return new OpenAI({ baseURL: `${origin}/v1`, apiKey: 'unused', maxRetries: 0 });
}

function anthropicAt(origin: string): Anthropic {
  return new Anthropic({ baseURL: origin, apiKey: 'unused', maxRetries: 0 });
}

test('openai: chat completions, whole', async () => {
  await withFront(async (origin) => {
    const answer = await openaiAt(origin).chat.completions.create({ model: 'sandbox', messages: user, n: 2 });
    assert.equal(answer.choices.length, 2);
    assert.equal(answer.choices[1]?.message.content, label);
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
    assert.equal(answer.usage?.completion_tokens, 2 * Math.ceil(label.length / 4));
    assert.equal(answer.created, 1_700_000_000);
    assert.match(answer.id, /^chatcmpl-[0-9a-f]{32}$/);
  });
});

test('openai: chat completions, streamed, with usage and two choices', async () => {
  await withFront(async (origin) => {
    const stream = openaiAt(origin).chat.completions.stream({
      model: 'sandbox',
      messages: user,
      n: 2,
      stream_options: { include_usage: true },
    });
    let chunks = 0;
    for await (const chunk of stream) if (chunk.choices.length > 0) chunks += 1;
    const answer = await stream.finalChatCompletion();
    assert.ok(chunks > 10);
    assert.deepEqual(
      answer.choices.map((choice) => choice.message.content),
      [label, label],
    );
    assert.equal(answer.usage?.completion_tokens, 2 * Math.ceil(label.length / 4));
  });
});

test('openai: the usage chunk comes only when it is asked for', async () => {
  const upstream = createSandboxUpstream({ now: () => 0 });
  const body = { model: 'sandbox', messages: user, stream: true };
  const plain = await exchange(upstream, post('/v1/chat/completions', JSON.stringify(body)));
  assert.ok(!plain.body.includes('usage'));
  assert.ok(plain.body.endsWith('data: [DONE]\n\n'));
  const asked = { ...body, stream_options: { include_usage: true } };
  const counted = await exchange(upstream, post('/v1/chat/completions', JSON.stringify(asked)));
  assert.match(counted.body, /"choices":\[\],"usage":\{"prompt_tokens":\d+.*\}\n\ndata: \[DONE\]\n\n$/);
});

test('openai: a limit cuts the text and says so, in every shape', async () => {
  await withFront(async (origin) => {
    const client = openaiAt(origin);
    const model = 'sandbox';
    const chat = await client.chat.completions.create({ model, messages: user, max_completion_tokens: 3 });
    assert.equal(chat.choices[0]?.finish_reason, 'length');
    assert.equal(chat.choices[0]?.message.content, label.slice(0, 12));
    assert.equal(chat.usage?.completion_tokens, 3);
    const response = await client.responses.create({ model, input: 'hello', max_output_tokens: 3 });
    assert.equal(response.status, 'incomplete');
    assert.equal(response.incomplete_details?.reason, 'max_output_tokens');
    assert.equal(response.usage?.output_tokens, 3);
    const message = await anthropicAt(origin).messages.create({ model, messages: user, max_tokens: 3 });
    assert.equal(message.stop_reason, 'max_tokens');
    assert.equal(message.usage.output_tokens, 3);
  });
});

test('openai: responses, whole and streamed, with every event in order', async () => {
  await withFront(async (origin) => {
    const client = openaiAt(origin);
    const input = [
      { role: 'user' as const, content: [{ type: 'input_text' as const, text: user[0]?.content ?? '' }] },
    ];
    const answer = await client.responses.create({ model: 'sandbox', input });
    assert.equal(answer.output_text, label);
    assert.equal(answer.status, 'completed');
    const stream = client.responses.stream({ model: 'sandbox', input });
    const types: string[] = [];
    const numbers: number[] = [];
    for await (const event of stream) {
      types.push(event.type);
      numbers.push(event.sequence_number);
    }
    const final = await stream.finalResponse();
    assert.equal(final.output_text, label);
    assert.deepEqual(final.usage, answer.usage);
    assert.deepEqual(numbers, [...numbers.keys()]);
    const order = types.filter((type) => type !== 'response.output_text.delta');
    assert.deepEqual(order, [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    const counted = await client.responses.inputTokens.count({ model: 'sandbox', input });
    assert.equal(counted.input_tokens, answer.usage?.input_tokens);
  });
});

test('openai: completions, one choice for each prompt, whole and streamed', async () => {
  await withFront(async (origin) => {
    const client = openaiAt(origin);
    const answer = await client.completions.create({ model: 'sandbox', prompt: ['a', 'b'] });
    assert.equal(answer.choices[1]?.text, 'sandbox: no model ran; the last user text is: b');
    let text = '';
    const stream = await client.completions.create({ model: 'sandbox', prompt: 'a', stream: true });
    for await (const chunk of stream) text += chunk.choices[0]?.text ?? '';
    assert.equal(text, answer.choices[0]?.text);
  });
});

test('openai: embeddings are unit vectors, equal for equal texts, the same in both encodings', async () => {
  await withFront(async (origin) => {
    const client = openaiAt(origin);
    const model = 'sandbox';
    const packed = await client.embeddings.create({ model, input: ['a', 'b', 'a'], dimensions: 32 });
    const plain = await client.embeddings.create({
      model,
      input: 'a',
      dimensions: 32,
      encoding_format: 'float',
    });
    const [first, second, third] = packed.data.map((item) => [...item.embedding]);
    assert.equal(first?.length, 32);
    assert.deepEqual(first, third);
    assert.notDeepEqual(first, second);
    assert.deepEqual(plain.data[0]?.embedding, first);
    assert.ok(Math.abs(Math.hypot(...(first ?? [])) - 1) < 1e-6);
    assert.ok(packed.usage.prompt_tokens > 0);
  });
});

test('anthropic: messages, whole and streamed, and their count', async () => {
  await withFront(async (origin) => {
    const client = anthropicAt(origin);
    const request = { model: 'sandbox', max_tokens: 100, messages: user, system: 'be brief' };
    const answer = await client.messages.create(request);
    assert.deepEqual(answer.content, [{ type: 'text', text: label }]);
    assert.equal(answer.stop_reason, 'end_turn');
    assert.match(answer._request_id ?? '', /^req_/);
    const stream = client.messages.stream(request);
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    const final = await stream.finalMessage();
    assert.deepEqual(final.content, answer.content);
    assert.equal(final.usage.output_tokens, answer.usage.output_tokens);
    assert.deepEqual(
      types.filter((type) => type !== 'content_block_delta'),
      ['message_start', 'content_block_start', 'content_block_stop', 'message_delta', 'message_stop'],
    );
    const { model, messages, system } = request;
    const counted = await client.messages.countTokens({ model, messages, system });
    assert.equal(counted.input_tokens, answer.usage.input_tokens);
  });
});

test('ai: generateText, streamText and embed, through both vendors’ providers', async () => {
  await withFront(async (origin) => {
    const openai = createOpenAI({ baseURL: `${origin}/v1`, apiKey: 'unused' });
    const anthropic = createAnthropic({ baseURL: `${origin}/v1`, apiKey: 'unused' });
    const models = [openai.chat('sandbox'), openai.responses('sandbox'), anthropic('sandbox')];
    for (const model of models) {
      const whole = await generateText({ model, prompt: 'hello wide world', maxRetries: 0 });
      assert.equal(whole.text, label);
      const stream = streamText({ model, prompt: 'hello wide world', maxRetries: 0 });
      let text = '';
      for await (const part of stream.textStream) text += part;
      assert.equal(text, label);
      assert.equal((await stream.usage).outputTokens, whole.usage.outputTokens);
    }
    const vector = await embed({ model: openai.embedding('sandbox'), value: 'a', maxRetries: 0 });
    assert.equal(vector.embedding.length, 16);
  });
});

test('bad requests are refused in the dialect, naming the field', async () => {
  await withFront(async (origin) => {
    const model = 'sandbox';
    await assert.rejects(
      openaiAt(origin).chat.completions.create({ model, messages: [] }),
      (error: unknown) => error instanceof OpenAI.BadRequestError && error.param === 'messages',
    );
    await assert.rejects(
      anthropicAt(origin).messages.create({ model, messages: user, max_tokens: 0 }),
      (error: unknown) => error instanceof Anthropic.BadRequestError && /max_tokens/.test(error.message),
    );
    await assert.rejects(openaiAt(origin).responses.retrieve('resp_x'), OpenAI.NotFoundError);
    await assert.rejects(
      openaiAt(origin).chat.completions.create({
        model,
        messages: user,
        response_format: { type: 'json_object' },
      }),
      (error: unknown) => error instanceof OpenAI.BadRequestError && /runs no model/.test(error.message),
    );
    await assert.rejects(
      anthropicAt(origin).messages.create({
        model,
        messages: user,
        max_tokens: 9,
        tool_choice: { type: 'any' },
      }),
      Anthropic.BadRequestError,
    );
  });
  const upstream = createSandboxUpstream({ now: () => 0 });
  for (const body of ['', '{', 'null', '[]', '{"model":1}', '"\ud800"']) {
    for (const path of [
      '/v1/chat/completions',
      '/v1/responses',
      '/v1/embeddings',
      '/v1/messages',
      '/v1/completions',
    ]) {
      assert.equal((await exchange(upstream, post(path, body))).status, 400, `${path} ${body}`);
    }
  }
});

test('the same request is given the same text, and ids of its own', async () => {
  const upstream = createSandboxUpstream({ now: () => 0 });
  const request = post('/v1/chat/completions', JSON.stringify({ model: 'sandbox', messages: user }));
  const [first, second] = [await exchange(upstream, request), await exchange(upstream, request)];
  const withoutId = (body: string): string => body.replace(/chatcmpl-[0-9a-f]+/, '');
  assert.notEqual(first.body, second.body);
  assert.equal(withoutId(first.body), withoutId(second.body));
});

test('a long text is repeated in part, cut between code points', async () => {
  const upstream = createSandboxUpstream({ now: () => 0 });
  const content = '🦉'.repeat(5_000);
  const messages = [{ role: 'user', content }];
  for (const limit of [1, 7, 11, 12, 13, 14, 1_000]) {
    const body = JSON.stringify({ model: 'sandbox', messages, max_tokens: limit });
    const answer = await exchange(upstream, post('/v1/chat/completions', body));
    assert.ok(answer.body.length < 2_000);
    assert.ok(!answer.body.includes('\ufffd') && !answer.body.includes('\\ud'), answer.body);
  }
});

test('a paused call delivers nothing, a resumed one the rest, an aborted one ends once', async () => {
  const upstream = createSandboxUpstream({ now: () => 0 });
  const request = post(
    '/v1/messages',
    JSON.stringify({ model: 'm-slow', max_tokens: 99, messages: user, stream: true }),
  );
  let whilePaused = 0;
  let counted = 0;
  const whole = await exchange(upstream, request, {
    onChunk(call, _chunk, count) {
      counted = count;
      if (count !== 2) return;
      call.pause();
      setTimeout(() => {
        whilePaused = counted;
        call.resume();
        call.resume();
      }, 120);
    },
  });
  assert.equal(whilePaused, 2);
  assert.match(whole.body, /message_stop"}\n\n$/);
  const cut = await exchange(upstream, request, {
    onChunk(call, _chunk, count) {
      if (count === 3) call.abort();
    },
  });
  await sleep(60);
  assert.equal(cut.error?.kind, 'aborted');
  assert.equal(cut.error?.beforeHeaders, false);
  assert.equal(cut.chunks, 3);
  assert.equal(cut.endings(), 1);
  const early = await exchange(upstream, request, { onCall: (call) => call.abort() });
  assert.equal(early.error?.beforeHeaders, true);
  assert.equal(early.status, undefined);
});
