// Claims about the ceiling of an answer: a provider that goes on and on is cut where the reservation ends.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { answerAs, plainly } from '../../support/provider-answers.ts';
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

test('an answer within the ceiling ends by itself', async () => {
  running.provider.answer(answerAs({ ...plainly, text: words(1_500), output: 1_500 }));
  const answer = await running.call({ body: { model: 'short', messages, stream: true } });
  assert.match(answer.text, /"finish_reason":"stop"/);
  assert.equal(at(await running.record(answer.record()), 'status'), 'ok');
});

test("a request's own limit is where its stream is cut", async () => {
  running.provider.answer(answerAs({ ...plainly, text: words(40_000), output: 40_000 }));
  const answer = await running.call({ body: { model: 'short', messages, stream: true, max_tokens: 100 } });
  assert.match(answer.text, /reached the ceiling of 100 tokens/);
});
