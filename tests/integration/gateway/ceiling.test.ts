// Claims about the ceiling of an answer: a provider that goes on and on is cut where the reservation ends.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { answerAs, chatEvents, plainly, sendEvents } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

const ceiling = 2_000;
let running: TestGateway;
before(async () => {
  running = await startGateway();
  const model = { name: 'short', providerId: running.providerId, outputCeiling: ceiling };
  await running.must('POST', '/models', model);
});
after(async () => {
  await running.stop();
});

const messages = [{ role: 'user', content: 'go on' }];
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** About a token a word. */
const words = (count: number): string => 'word '.repeat(count);

test('a stream is cut at the ceiling of its model, told so, and charged for what came', async () => {
  running.provider.answer(answerAs({ ...plainly, text: words(40_000), output: 40_000 }));
  const before = running.provider.aborted();
  const answer = await running.call({ body: { model: 'short', messages, stream: true } });
  assert.equal(answer.status, 200);
  assert.match(answer.text, /"code":"budget_exceeded"\}\}\n\n$/);
  assert.match(answer.text, /reached the ceiling of 2000 tokens/);
  assert.doesNotMatch(answer.text, /"finish_reason":"stop"/);
  assert.ok(await until(() => running.provider.aborted() > before), 'the provider is stopped');
  const record = await running.record(answer.record());
  assert.equal(at(record, 'status'), 'cut');
  const output = Number(at(record, 'usage.output'));
  // Looked at every 8 KiB of events: here that is some 70 words.
  assert.ok(output > ceiling && output < ceiling + 500, `${output} tokens`);
  assert.equal(textAt(record, 'usage.source'), 'estimated');
  const intent: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  assert.equal(at(intent, 'reserved.out'), ceiling);
});

test('a stream is cut close to a small ceiling, too', async () => {
  await running.must('POST', '/models', {
    name: 'terse',
    providerId: running.providerId,
    outputCeiling: 5,
  });
  running.provider.answer(answerAs({ ...plainly, text: words(48), output: 48 }));
  const answer = await running.call({ body: { model: 'terse', messages, stream: true } });
  const record = await running.record(answer.record());
  assert.equal(at(record, 'status'), 'cut');
  assert.ok(Number(at(record, 'usage.output')) < 20, JSON.stringify(at(record, 'usage')));
});

/** Texts of just so many tokens as the ceiling has, by vocabularies that are kind to English. */
const full: readonly (readonly [string, string, number | undefined])[] = [
  ['words of four characters', 'wor '.repeat(ceiling), undefined],
  ['Chinese, escaped', '中'.repeat(ceiling), undefined],
  ['words of four characters, under a limit of its own', 'wor '.repeat(ceiling), ceiling],
  ['Chinese, escaped, under a limit of its own', '中'.repeat(ceiling), ceiling],
  ['long words, under a limit of its own', 'information '.repeat(ceiling), ceiling],
  ['runs of blanks, under a limit of its own', ' '.repeat(100 * ceiling), ceiling],
];

for (const [name, text, limit] of full) {
  test(`an answer within the ceiling ends by itself: ${name}`, async () => {
    const pieces = text.match(/[\s\S]{1,400}/g) ?? [];
    const said = { ...plainly, text, output: ceiling };
    const events = chatEvents({ ...said, text: '' }).filter((event) => !event.includes('"content":""'));
    const chunks = pieces.map((content) =>
      JSON.stringify({ id: said.id, choices: [{ index: 0, delta: { content }, finish_reason: null }] }),
    );
    const escaped = chunks.map((chunk) => `data: ${chunk.replaceAll('中', '\\u4e2d')}\n\n`);
    running.provider.answer((_asked, response) => sendEvents(response, [...escaped, ...events], turn));
    const body = {
      model: 'short',
      messages,
      stream: true,
      ...(limit === undefined ? {} : { max_tokens: limit }),
    };
    const answer = await running.call({ body });
    assert.match(answer.text, /"finish_reason":"stop"/);
    const record = await running.record(answer.record());
    assert.deepEqual([at(record, 'status'), at(record, 'usage.output')], ['ok', ceiling]);
  });
}

for (const [path, model, more] of [
  ['/v1/chat/completions', 'short', { messages, max_tokens: 1_200 }],
  ['/v1/responses', 'short', { input: 'go on' }],
  ['/v1/responses', 'short', { input: 'go on', max_output_tokens: 1_200 }],
  ['/v1/messages', 'c', { messages, max_tokens: 1_200 }],
] as const) {
  test(`what a stream says again at its end is not counted again: ${path} ${Object.keys(more)}`, async () => {
    running.provider.answer(answerAs({ ...plainly, text: words(900).trim(), output: 900 }));
    const answer = await running.call({ path, body: { model, ...more, stream: true } });
    assert.equal(at(await running.record(answer.record()), 'status'), 'ok', answer.text.slice(-200));
  });
}

test('a stream that only thinks is cut at the ceiling, and what it thought is charged where its caller leaves', async () => {
  const chunk = JSON.stringify({ id: 'x', choices: [{ delta: { reasoning_content: words(20) } }] });
  const events = Array.from({ length: 2_000 }, () => `data: ${chunk}\n\n`);
  running.provider.answer((_asked, response) => sendEvents(response, events, turn));
  const answer = await running.call({ body: { model: 'short', messages, stream: true } });
  assert.match(answer.text, /reached the ceiling of 2000 tokens/);
  let heard = 0;
  const left = await running.call({
    body: { model: 'm', max_tokens: 50_000, messages, stream: true },
    onChunk: (bytes, leave) => {
      heard += bytes.length;
      if (heard > 10_000) leave();
    },
  });
  const record = () => running.record(left.record());
  assert.ok(await until(async () => at(await record(), 'status') === 'cancelled'));
  assert.ok(Number(at(await record(), 'usage.output')) > 500, JSON.stringify(at(await record(), 'usage')));
});

test('an answer far beyond what its own limit could write is cut', async () => {
  running.provider.answer(answerAs({ ...plainly, text: words(40_000), output: 40_000 }));
  const answer = await running.call({ body: { model: 'short', messages, stream: true, max_tokens: 100 } });
  assert.match(answer.text, /reached the ceiling of 100 tokens/);
});

test('a limit that a server may not know holds no stream: ours does, and so does the one of policy', async () => {
  running.provider.answer(answerAs({ ...plainly, text: words(40_000), output: 40_000 }));
  const body = { model: 'short', messages, stream: true, max_completion_tokens: 10 };
  assert.match((await running.call({ body })).text, /reached the ceiling of 2000 tokens/);
  await running.publish('@id("short") @max_tokens("50") permit (principal, action, resource);');
  assert.match((await running.call({ body })).text, /reached the ceiling of 50 tokens/);
});

test('a limit that nobody knows of an endpoint which is passed through holds no stream', async () => {
  await running.publish('@id("all") permit (principal, action, resource);');
  running.provider.answer(answerAs({ ...plainly, text: words(40_000), output: 40_000 }));
  const body = { model: 'short', messages, stream: true, max_output_tokens: 1 };
  const answer = await running.call({ path: '/providers/fake/v1/fim/completions', body });
  assert.match(answer.text, /reached the ceiling of 2000 tokens/);
});
