// Claims about the official clients: they work unchanged but for base URL and key.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { generateText, streamText } from 'ai';
import OpenAI from 'openai';
import { startServer, type TestServer, textAt } from '../../support/server.ts';

let running: TestServer;
before(async () => {
  running = await startServer();
});
after(async () => {
  await running.stop();
});

const openai = () => new OpenAI({ baseURL: `${running.url}/v1`, apiKey: running.modelsKey, maxRetries: 0 });
const anthropic = () => new Anthropic({ baseURL: running.url, apiKey: running.modelsKey, maxRetries: 0 });
const messages = [{ role: 'user', content: 'Say hello to the auditors' }] as const;

test('openai: a chat completion answers, and its record names the person', async () => {
  const { data, response } = await openai()
    .chat.completions.create({ model: 'sandbox', messages: [...messages] })
    .withResponse();
  assert.match(data.choices[0]?.message.content ?? '', /sandbox/);
  const record = response.headers.get('x-countersign-record') ?? '';
  const answer = await running.api('GET', `/records/${record}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(textAt(answer.body, 'actor.id'), running.ownerId);
  assert.equal(textAt(answer.body, 'actor.name'), 'Alice');
  assert.equal(textAt(answer.body, 'status'), 'ok');
});

test('openai: a streamed chat completion ends with its finish reason', async () => {
  const stream = await openai().chat.completions.create({
    model: 'sandbox',
    messages: [...messages],
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let finish: string | null | undefined;
  let tokens = 0;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
    tokens = chunk.usage?.total_tokens ?? tokens;
  }
  assert.match(text, /sandbox/);
  assert.equal(finish, 'stop');
  assert.ok(tokens > 0);
});

test('openai: responses, embeddings and models work', async () => {
  const client = openai();
  const response = await client.responses.create({ model: 'sandbox', input: 'hello' });
  assert.match(response.output_text, /sandbox/);
  const embedding = await client.embeddings.create({ model: 'sandbox', input: 'hello' });
  assert.ok((embedding.data[0]?.embedding.length ?? 0) > 0);
  const models = await client.models.list();
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['sandbox'],
  );
});

test('anthropic: a message and its stream answer, and tokens are counted', async () => {
  const client = anthropic();
  const asked = { model: 'sandbox', max_tokens: 100, messages: [...messages] };
  const message = await client.messages.create(asked);
  assert.equal(message.content[0]?.type, 'text');
  const final = await client.messages.stream(asked).finalMessage();
  assert.equal(final.stop_reason, 'end_turn');
  const counted = await client.messages.countTokens({ model: 'sandbox', messages: [...messages] });
  assert.ok(counted.input_tokens > 0);
});

test('ai: generateText and streamText answer over both dialects', async () => {
  const viaOpenai = createOpenAI({ baseURL: `${running.url}/v1`, apiKey: running.modelsKey });
  const viaAnthropic = createAnthropic({ baseURL: `${running.url}/v1`, apiKey: running.modelsKey });
  const { text } = await generateText({ model: viaOpenai.chat('sandbox'), prompt: 'hello' });
  assert.match(text, /sandbox/);
  const streamed = streamText({ model: viaAnthropic('sandbox'), prompt: 'hello' });
  let all = '';
  for await (const part of streamed.textStream) all += part;
  assert.match(all, /sandbox/);
});
