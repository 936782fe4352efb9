// Owns the claims about how the built-in provider behaves, beyond what the clients see.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnswerReader, readAnswer } from '@countersign/core/dialects/answer';
import { createSseReader } from '@countersign/core/dialects/sse';
import { exchange, post, sleep } from './fake-provider.support.ts';
import { createSandboxUpstream } from './sandbox.ts';

const user = [{ role: 'user' as const, content: 'hello wide world' }];

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

const metered = [
  ['chat', '/v1/chat/completions', { messages: user, n: 2, stream_options: { include_usage: true } }],
  ['responses', '/v1/responses', { input: 'hello wide world' }],
  ['responses', '/v1/responses', { input: 'hello wide world', max_output_tokens: 3 }],
  ['completions', '/v1/completions', { prompt: ['a', 'b'], stream_options: { include_usage: true } }],
  ['messages', '/v1/messages', { messages: user, max_tokens: 50 }],
] as const;

for (const [endpoint, path, fields] of metered) {
  test(`the meter reads the same final counts whole and streamed: ${path} ${Object.keys(fields)}`, async () => {
    const upstream = createSandboxUpstream({ now: () => 0 });
    const decoder = new TextDecoder();
    const decode = (bytes: Uint8Array): string => decoder.decode(bytes);
    const estimates = { inputTokens: 1, bytesPerToken: 4 };
    const body = { model: 'sandbox', ...fields };
    const whole = await exchange(upstream, post(path, JSON.stringify(body)));
    const read = readAnswer(endpoint, whole.body, estimates);
    assert.equal(read.estimated, false);
    assert.ok(read.usage.input > 0 && read.usage.output > 0);
    const sse = createSseReader(decode);
    const reader = createAnswerReader(
      endpoint,
      endpoint === 'chat' || endpoint === 'completions' ? 2 : 1,
      decode,
    );
    let passed = 0;
    const streamed = await exchange(upstream, post(path, JSON.stringify({ ...body, stream: true })), {
      onChunk(_call, chunk) {
        const batch = sse.push(chunk);
        assert.equal(batch.fault, undefined);
        passed += reader.read(batch);
      },
    });
    const report = reader.report(estimates);
    assert.equal(report.estimated, false);
    assert.deepEqual(report.usage, read.usage);
    assert.ok(passed > 0 && passed < Buffer.byteLength(streamed.body), 'the terminal bytes are held back');
  });
}
