// Owns the claim that the official clients parse what the built-in provider sends.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { embed, generateText, streamText } from 'ai';
import OpenAI from 'openai';
import type { Upstream, UpstreamCall } from '../upstream.ts';
import { exchange, type Listening, listenHttp, post } from './fake-provider.support.ts';
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
