// Claims about metering: what the provider says is what is billed, streamed or not; what nobody says is estimated, and flagged.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { type RawAnswer, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import {
  answerAs,
  beginStream,
  chatEvents,
  chatJson,
  plainly,
  sendEvents,
  sendJson,
} from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});
beforeEach(() => running.provider.answer());

const hello = [{ role: 'user', content: 'hello' }];
const body = { model: 'm', max_tokens: 100, messages: hello };

type Usage = {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly reasoning: number;
  readonly costNanos: number;
  readonly source: string;
};
async function usageOf(answer: RawAnswer): Promise<Usage> {
  const record = await running.record(answer.record());
  const number = (name: string): number => Number(at(record, `usage.${name}`));
  return {
    input: number('input'),
    output: number('output'),
    cached: number('cached'),
    reasoning: number('reasoning'),
    costNanos: number('costNanos'),
    source: String(at(record, 'usage.source')),
  };
}

const said = { ...plainly, input: 1_000, output: 200, cached: 300, reasoning: 50 };
const faces = [
  { path: '/v1/chat/completions', asked: { ...body, stream_options: { include_usage: true } } },
  { path: '/v1/messages', asked: { ...body, model: 'c' } },
  { path: '/v1/responses', asked: { model: 'm', input: 'hello', max_output_tokens: 100 } },
];
for (const { path, asked } of faces) {
  test(`litellm#9812, #11364, #11789: ${path} is billed the same streamed and whole, cache and all`, async () => {
    running.provider.answer(answerAs(said));
    const { stream_options: _only, ...plain } = { stream_options: undefined, ...asked };
    const whole = await usageOf(await running.call({ path, body: plain }));
    const streamed = await usageOf(await running.call({ path, body: { ...asked, stream: true } }));
    assert.deepEqual(streamed, whole);
    assert.equal(whole.source, 'provider');
    assert.equal(whole.cached, 300);
    assert.equal(whole.input, 700, 'buckets are disjoint');
    assert.ok(whole.costNanos > 0);
  });
}

test('the name of a model that a provider gives forges no line in a copy of the record', async () => {
  for (const [model, served] of [
    ['gpt\u0085<110>1 - forged\u2028more\u009b31m\u202e', 'gpt<110>1 - forgedmore31m'],
    ['\u0085\u2028', 'm'],
    [`${'\u{1f600}'.repeat(300)}`, '\u{1f600}'.repeat(128)],
  ] as const) {
    running.provider.answer(answerAs({ ...plainly, model }));
    const record = await running.record((await running.call({ body })).record());
    const entry: unknown = JSON.parse(textAt(record, 'entries.1.text'));
    assert.equal(at(entry, 'target.served'), served);
  }
});

test('litellm#14457: a stream that its client leaves is billed by a flagged estimate', async () => {
  const text = 'word '.repeat(400);
  running.provider.answer(async (_asked, response) => {
    await sendEvents(
      response,
      chatEvents({ ...plainly, text }),
      () => new Promise((done) => setTimeout(done, 2)),
    );
  });
  let seen = 0;
  const answer = await running.call({
    body: { ...body, max_tokens: 1_000, stream: true },
    onChunk: (chunk, leave) => {
      seen += chunk.length;
      if (seen > 8_000) leave();
    },
  });
  const ended = await until(async () => at(await running.record(answer.record()), 'status') === 'cancelled');
  assert.ok(ended);
  assert.equal(at(await running.record(answer.record()), 'error'), 'client_gone');
  const { source, output, input, costNanos } = await usageOf(answer);
  assert.equal(source, 'estimated');
  const words = answer.text.split('"content":"word').length - 1;
  assert.ok(output >= words && output <= 2 * words + 40, `${output} tokens for ${words} words`);
  assert.ok(input >= 1 && costNanos > 0);
});

test('a provider that breaks off in the middle of a stream is billed by a flagged estimate (FAULTS 13)', async () => {
  running.provider.answer((_asked, response) => {
    beginStream(response);
    for (const event of chatEvents().slice(0, 2)) response.write(event);
    setTimeout(() => response.destroy(), 20);
  });
  const answer = await running.call({ body: { ...body, stream: true } });
  assert.ok(
    answer.text.includes('upstream_unreachable') || answer.text.includes('upstream_invalid'),
    answer.text,
  );
  const { source, output } = await usageOf(answer);
  assert.equal(source, 'estimated');
  assert.ok(output > 0);
  assert.equal(at(await running.record(answer.record()), 'status'), 'failed');
});

test('a usage object that straddles two chunks is read, wherever it is cut', async () => {
  const all = Buffer.from(chatEvents(said).join(''), 'utf8');
  const from = all.indexOf('"usage"');
  for (let cut = from - 1; cut < from + 120; cut += 11) {
    running.provider.answer(async (_asked, response) => {
      beginStream(response);
      response.write(all.subarray(0, cut));
      await new Promise((done) => setTimeout(done, 4));
      response.end(all.subarray(cut));
    });
    const answer = await running.call({ body: { ...body, stream: true } });
    assert.deepEqual(answer.body, all);
    const usage = await usageOf(answer);
    assert.deepEqual(
      [usage.input, usage.output + usage.reasoning, usage.source],
      [700, 200, 'provider'],
      `at ${cut}`,
    );
  }
});

test('a stream without usage is estimated, and stream_options is not put into the request', async () => {
  running.provider.answer(async (_asked, response) => sendEvents(response, chatEvents(plainly, false)));
  const answer = await running.call({ body: { ...body, stream: true } });
  assert.equal((await usageOf(answer)).source, 'estimated');
  assert.equal(at(running.provider.newest().json(), 'stream_options'), undefined);
});

test('text of another script and pictures are no cheaper for a stream that does not ask for its usage', async () => {
  const text = '中'.repeat(400);
  running.provider.answer(async (_asked, response) =>
    sendEvents(response, chatEvents({ ...plainly, text }, false)),
  );
  await running.publish('@id("all") permit (principal, action, resource);');
  const picture = { type: 'image_url', image_url: { url: 'https://pictures.example/a.png' } };
  const messages = [{ role: 'user', content: [picture, picture] }];
  const answer = await running.call({ body: { model: 'm', max_tokens: 1_000, messages, stream: true } });
  await running.publish(defaultPolicyText);
  const { input, output, source } = await usageOf(answer);
  assert.deepEqual([output, source], [300, 'estimated']);
  assert.ok(input > 2 * 65_536, `${input} tokens`);
});

test('an estimate is never above a limit that the provider was told to hold', async () => {
  const text = 'information '.repeat(1_000);
  const chunk = { id: 'c', choices: [{ index: 0, message: { content: text }, finish_reason: 'length' }] };
  for (const stream of [true, false]) {
    running.provider.answer((_asked, response) =>
      stream
        ? sendEvents(response, chatEvents({ ...plainly, text }, false))
        : sendJson(response, JSON.stringify(chunk)),
    );
    const { output, source } = await usageOf(
      await running.call({ body: { ...body, max_tokens: 1_000, stream } }),
    );
    assert.deepEqual([output, source], [1_000, 'estimated']);
  }
});

test("a provider's own failure costs nothing, and passes as it is", async () => {
  const error = '{"error":{"message":"overloaded","type":"server_error"}}';
  for (const status of [400, 429, 500, 503, 529]) {
    running.provider.answer((_asked, response) => sendJson(response, error, status));
    const answer = await running.call({ body });
    assert.equal(answer.status, status);
    assert.equal(answer.text, error);
    const record = await running.record(answer.record());
    assert.equal(at(record, 'usage'), undefined);
    assert.equal(at(record, 'status'), 'upstream_error');
  }
});

test('a provider that cannot be reached costs nothing; one that never answers costs what was reserved', async () => {
  const gone = { name: 'gone', kind: 'openai_compatible', baseUrl: 'http://127.0.0.1:9', apiKey: 'k' };
  const made = await running.must('POST', '/providers', gone);
  await running.must('POST', '/models', { name: 'gone-model', providerId: at(made, 'id') });
  const answer = await running.call({ body: { ...body, model: 'gone-model' } });
  assert.equal(answer.status, 502);
  assert.equal(at(await running.record(answer.record()), 'usage'), undefined);
  const timeouts = { connectMs: 1_000, firstByteMs: 200, idleMs: 200 };
  const slow = { ...gone, name: 'slow', baseUrl: running.provider.origin, timeouts };
  const slowId = at(await running.must('POST', '/providers', slow), 'id');
  await running.must('POST', '/models', { name: 'slow-model', providerId: slowId });
  running.provider.answer(() => {});
  const started = performance.now();
  const late = await running.call({ body: { ...body, model: 'slow-model' } });
  assert.equal(late.status, 504);
  assert.ok(performance.now() - started < 1_500);
  const usage = await usageOf(late);
  assert.equal(usage.source, 'estimated');
  assert.ok(usage.costNanos > 0);
});

test('a stream that falls silent ends within its time-out, and is billed (FAULTS 13)', async () => {
  running.provider.answer((_asked, response) => {
    beginStream(response);
    response.write(chatEvents()[0]);
  });
  const started = performance.now();
  const answer = await running.call({ body: { ...body, model: 'slow-model', stream: true } });
  assert.ok(performance.now() - started < 1_500);
  assert.ok(answer.text.includes('upstream_timeout'));
  assert.equal((await usageOf(answer)).source, 'estimated');
});

test('litellm#37923: a model that no price table knows is never free', async () => {
  const { costNanos } = await usageOf(await running.call({ body }));
  assert.ok(costNanos > 0);
  const usage = await running.must('GET', '/usage?groupBy=model');
  const items = at(usage, 'items');
  assert.ok(Array.isArray(items));
  for (const item of items)
    assert.ok(Number(at(item, 'costNanos')) > 0 || at(item, 'group.model') === 'gone-model');
});

test('every call has its row and its end, whether its client stayed or left (FAULTS 15)', async () => {
  const { key, id } = await running.person('counter');
  const stream = { ...body, stream: true };
  const calls = Array.from({ length: 30 }, (_, i) =>
    running.call({
      key,
      body: i % 3 === 0 ? body : stream,
      ...(i % 3 === 2 ? { onChunk: (_chunk: Buffer, leave: () => void) => leave() } : {}),
    }),
  );
  await Promise.all(calls);
  running.provider.answer((_asked, response) => sendJson(response, chatJson()));
  assert.ok(
    await until(async () => {
      const items = at(await running.must('GET', `/records?actor=${id}&limit=100`), 'items');
      assert.ok(Array.isArray(items));
      return items.length === 30 && items.every((item) => at(item, 'status') !== undefined);
    }),
  );
});

test('an answer that counts more than numbers hold is recorded, priced, and holds no budget', async () => {
  const most = Number.MAX_SAFE_INTEGER;
  const compaction = { type: 'compaction', input_tokens: most, output_tokens: 5 };
  const cache = { cache_creation_input_tokens: most, cache_read_input_tokens: most };
  const usage = { input_tokens: most, output_tokens: 1, ...cache, iterations: [compaction] };
  const content = [{ type: 'text', text: 'hi' }];
  const message = { id: 'msg_most', type: 'message', role: 'assistant', model: 'c', content, usage };
  running.provider.answer((_asked, response) => sendJson(response, JSON.stringify(message)));
  const answer = await running.call({ path: '/v1/messages', body: { ...body, model: 'c' } });
  assert.equal(answer.status, 200);
  assert.ok((await usageOf(answer)).costNanos > 0);
  const { organizationId } = running;
  if (!isId('org', organizationId)) throw new TypeError('no organization');
  assert.equal(running.server.gateway.deps.meter.reservedNanos(organizationId), 0);
});
