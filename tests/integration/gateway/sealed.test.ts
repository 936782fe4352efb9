// Claims about sealed reasoning on the wire: coding clients go on after their first turn, and nobody else is shown it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { codeOf, type RawAnswer, startGateway, type TestGateway } from '../../support/gateway.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
  const baseUrl = running.provider.origin;
  const vendor = { name: 'vendor', kind: 'openai', baseUrl, apiKey: 'sk-vendor', external: true };
  const providerId = textAt(await running.must('POST', '/providers', vendor), 'id');
  await running.must('POST', '/models', { name: 'gpt', providerId });
});
after(async () => {
  await running.stop();
});

const sealed = 'EqQBCkYIBRgCKkDf8s'.repeat(20);
const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: sealed };
const codexTurn = (model: string, item: object = reasoning) => ({
  path: '/v1/responses',
  body: {
    model,
    store: false,
    include: ['reasoning.encrypted_content'],
    input: [item, { role: 'user', content: 'go' }],
  },
});
const claudeTurn = (...content: readonly object[]) => ({
  path: '/v1/messages',
  body: {
    model: 'c',
    max_tokens: 9,
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content },
      { role: 'user', content: 'go' },
    ],
  },
});

async function labelsOf(answer: RawAnswer): Promise<unknown> {
  return at(await running.record(answer.record()), 'labels');
}

async function assertDenied(answer: RawAnswer, found: string): Promise<void> {
  assert.deepEqual([answer.status, codeOf(answer)], [403, 'policy_denied'], answer.text);
  assert.ok(answer.text.includes(found), answer.text);
}

test('the second turn of a coding client passes the first policy, and says what it holds', async () => {
  for (const turn of [
    codexTurn('gpt'),
    claudeTurn({ type: 'thinking', thinking: '', signature: sealed }, { type: 'text', text: 'ok' }),
    claudeTurn({ type: 'redacted_thinking', data: sealed }, { type: 'text', text: 'ok' }),
  ]) {
    const answer = await running.call(turn);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(await labelsOf(answer), ['provider_sealed']);
  }
});

test('what a provider cannot have sealed, or may show to its model, is kept inside, and the refusal names it', async () => {
  await assertDenied(await running.call(codexTurn('m')), '`opaque`');
  const pdf = { ...reasoning, encrypted_content: `data:application/pdf;base64,${sealed}` };
  await assertDenied(await running.call(codexTurn('gpt', pdf)), '`opaque` (encrypted)');
  const tokens = { path: '/v1/embeddings', body: { model: 'gpt', input: [1, 2, 3] } };
  await assertDenied(await running.call(tokens), '`opaque` (tokens)');
});

test('an obligation takes sealed reasoning to no provider that might show it to its model', async () => {
  await running.publish('@model("m") permit (principal, action, resource);');
  await assertDenied(await running.call(codexTurn('gpt')), 'permits');
  await running.publish('@model("gpt") permit (principal, action, resource);');
  assert.equal((await running.call(codexTurn('gpt'))).status, 200);
  await running.publish(defaultPolicyText);
});
