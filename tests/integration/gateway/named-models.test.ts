// Claims about the models that a request names beside its own: each is selected, decided and paid for like the one it asks for.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { codeOf, type RawAnswer, startGateway, type TestGateway } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import { answerAs, plainly } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
/** Two is known to the provider as `vendor/two`, and costs a hundred times what `m` does. */
before(async () => {
  running = await startGateway();
  const { providerId, modelId } = running;
  const price = (input: number) => ({ price: { input, output: 10 * input } });
  await running.must('PATCH', `/models/${modelId}`, price(1_000));
  await running.must('POST', '/models', {
    name: 'two',
    providerId,
    upstreamName: 'vendor/two',
    ...price(100_000),
  });
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});
beforeEach(async () => {
  running.provider.answer();
  const inForce = textAt(await running.must('GET', '/policy'), 'text');
  if (inForce !== defaultPolicyText) await running.publish(defaultPolicyText);
});

const forbidTwo = `${defaultPolicyText}
@id("not-two") forbid (principal, action, resource is Model) when { resource.name == "two" };`;
const messages = [{ role: 'user', content: 'hello' }];
const chat = { model: 'm', max_tokens: 10, messages };
const faces = [
  { path: '/v1/chat/completions', body: chat },
  { path: '/v1/completions', body: { model: 'm', max_tokens: 10, prompt: 'hello' } },
  { path: '/v1/responses', body: { model: 'm', max_output_tokens: 10, input: 'hello' } },
  { path: '/v1/embeddings', body: { model: 'm', input: 'hello' } },
  { path: '/v1/messages', body: chat },
] as const;

async function assertNotSent(answer: RawAnswer, sent: number, status: number, code: string): Promise<void> {
  assert.equal(answer.status, status, answer.text);
  assert.equal(codeOf(answer), code);
  assert.equal(running.provider.dispatched(), sent, 'it was dispatched');
  assert.notEqual(textAt(await running.record(answer.record()), 'status'), 'ok');
}

for (const { path, body } of faces) {
  test(`${path}: a fallback in \`models\` that policy forbids is not sent, whatever is asked first`, async () => {
    await running.publish(forbidTwo);
    const sent = running.provider.dispatched();
    for (const named of [
      { models: ['vendor/two'] },
      { models: ['m', 'vendor/two'], route: 'fallback' },
      { extra_body: { models: ['vendor/two'] } },
      { content_policy_fallbacks: [{ m: ['vendor/two'] }] },
    ]) {
      const answer = await running.call({ path, body: { ...body, ...named } });
      await assertNotSent(answer, sent, 403, 'policy_denied');
      assert.deepEqual(at(await running.record(answer.record()), 'rules'), ['not-two']);
    }
    const queried = await running.call({ path: `${path}?model=vendor/two`, body });
    await assertNotSent(queried, sent, 403, 'policy_denied');
  });

  test(`${path}: one that policy permits leaves byte for byte`, async () => {
    const text = JSON.stringify({ ...body, models: ['vendor/two', 'm'] });
    const answer = await running.call({ path, body: text });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(running.provider.newest().body.toString('utf8'), text);
  });
}

test('a name counts as the provider reads it: our alias for a model there, or a model elsewhere, is none', async () => {
  const sent = running.provider.dispatched();
  for (const name of ['two', 'c', 'vendor/three', 'sandbox', 'auto']) {
    const answer = await running.call({ body: { ...chat, models: [name] } });
    await assertNotSent(answer, sent, 404, 'not_found');
  }
});

test('a key that is narrowed to one model reaches no other through a list', async () => {
  const { key } = await running.keyFor({ models: ['m'] });
  const sent = running.provider.dispatched();
  for (const call of [
    { body: { ...chat, models: ['vendor/two'] } },
    { body: chat, path: '/v1/chat/completions?model=vendor%2Ftwo' },
  ])
    await assertNotSent(await running.call({ key, ...call }), sent, 404, 'not_found');
  assert.equal((await running.call({ key, body: { ...chat, models: ['m'] } })).status, 200);
});

test('a model in a body that is passed through is decided on, however deep it stands', async () => {
  const pass = '@id("all") permit (principal, action, resource);';
  await running.publish(pass);
  const path = '/providers/fake/v1/messages/batches';
  const body = { requests: [{ custom_id: '1', params: { ...chat, model: 'vendor/two' } }] };
  assert.equal((await running.call({ path, body })).status, 200);
  await running.publish(
    `${pass}\n@id("not-two") forbid (principal, action == Action::"chat", resource is Model) when { resource.name == "two" };`,
  );
  await assertNotSent(
    await running.call({ path, body }),
    running.provider.dispatched(),
    403,
    'policy_denied',
  );
});

test('an obligation that names another model decides on the list again, as its provider reads it', async () => {
  await running.publish('@id("to-c") @model("c") permit (principal, action, resource);');
  const sent = running.provider.dispatched();
  const listed = await running.call({ body: { ...chat, models: ['vendor/two'] } });
  await assertNotSent(listed, sent, 403, 'policy_denied');
  assert.equal((await running.call({ body: chat })).status, 200);
});

test('the dearest of the models that may run is reserved, and the one that ran is paid', async () => {
  const reservedOf = async (answer: RawAnswer) => {
    const entry: unknown = JSON.parse(textAt(await running.record(answer.record()), 'entries.0.text'));
    return Number(at(entry, 'reserved.cost_nanos'));
  };
  const costOf = async (answer: RawAnswer) =>
    Number(at(await running.record(answer.record()), 'usage.costNanos'));
  const body = { ...chat, models: ['vendor/two'] };
  running.provider.answer(answerAs({ ...plainly, model: 'm' }));
  const cheap = await running.call({ body });
  running.provider.answer(answerAs({ ...plainly, model: 'vendor/two' }));
  const dear = await running.call({ body });
  const alone = await running.call({ body: { ...chat, model: 'two' } });
  assert.ok((await reservedOf(cheap)) >= (await reservedOf(alone)));
  assert.equal(await costOf(dear), await costOf(alone));
  assert.equal(await costOf(dear), 100 * (await costOf(cheap)));
});

test('a decision over a list is taken again from its record alone, denied or allowed', async () => {
  const from = new Date().toISOString();
  await running.publish(forbidTwo);
  await running.call({ body: { ...chat, models: ['vendor/two'] } });
  await running.call({ body: { ...chat, models: ['m'] } });
  const again = await running.must('POST', '/policy/simulate', { text: forbidTwo, from });
  assert.deepEqual([at(again, 'examined'), at(again, 'changed')], [2, 0]);
  const lifted = await running.must('POST', '/policy/simulate', { text: defaultPolicyText, from });
  assert.deepEqual([at(lifted, 'changed'), at(lifted, 'nowAllowed')], [1, 1]);
});

test('an answer that is made after the connection ends costs what was reserved for it', async () => {
  const queued = '{"id":"resp_later","object":"response","status":"queued","output":[],"usage":null}';
  running.provider.answer((_asked, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(queued);
  });
  const body = { model: 'm', input: 'hello', max_output_tokens: 1_000, background: true };
  const answer = await running.call({ path: '/v1/responses', body });
  const record = await running.record(answer.record());
  const entry: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  assert.equal(at(record, 'usage.costNanos'), at(entry, 'reserved.cost_nanos'));
  assert.equal(at(record, 'usage.source'), 'estimated');
});

test('a body that would send its call elsewhere is refused before anything leaves', async () => {
  const sent = running.provider.dispatched();
  for (const { path, body } of faces) {
    const answer = await running.call({ path, body: { ...body, api_base: 'http://127.0.0.1:1/v1' } });
    assert.equal(answer.status, 400, answer.text);
  }
  assert.equal(running.provider.dispatched(), sent);
});

test('hosted tools that a setting switches on, and stored things that it names, are refused like any other', async () => {
  const sent = running.provider.dispatched();
  for (const [more, status] of [
    [{ plugins: [{ id: 'web' }] }, 403],
    [{ search_parameters: { mode: 'on' } }, 403],
    [{ tools: [{ google_search: {} }] }, 403],
    [{ preset: 'somebody-elses' }, 404],
    [{ vector_store_ids: ['vs_1'] }, 404],
  ] as const) {
    const answer = await running.call({ body: { ...chat, ...more } });
    assert.equal(answer.status, status, `${JSON.stringify(more)}: ${answer.text}`);
  }
  for (const item of [
    { type: 'reasoning', id: 'rs_other', summary: [] },
    { type: 'image_generation_call', id: 'ig_other' },
  ]) {
    const answer = await running.call({ path: '/v1/responses', body: { model: 'm', input: [item] } });
    assert.equal(answer.status, 404, answer.text);
  }
  assert.equal(running.provider.dispatched(), sent);
});

test('the model that a name with an escape names is the one that is decided, whatever was sent before (nodejs/node#63785)', async () => {
  await running.publish(forbidTwo);
  const rest = `"max_tokens":10,"messages":${JSON.stringify(messages)}}`;
  // As many members, and a beginning of their own: where bodies go on in several ways, the engine remembers none.
  for (const [begun, status, code] of [
    ['{"temperature":1,"model":"m"', 400, 'invalid_request'],
    ['{"top_p":1', 403, 'policy_denied'],
  ] as const) {
    for (let round = 0; round < 3; round += 1)
      await running.call({ body: `${begun},"m\\\\u00":"two",${rest}` });
    const sent = running.provider.dispatched();
    const answer = await running.call({ body: `${begun},"m\\u006fdel":"two",${rest}` });
    assert.deepEqual([answer.status, codeOf(answer)], [status, code], answer.text);
    assert.equal(running.provider.dispatched(), sent, 'it was dispatched');
  }
});

test('a path that names a provider leads to no model of another one', async () => {
  const sent = running.provider.dispatched();
  for (const [path, model] of [
    ['/providers/claude/v1/chat/completions', 'm'],
    ['/providers/fake/v1/messages', 'c'],
    ['/providers/claude/v1/moderations', 'm'],
  ] as const) {
    const answer = await running.call({ path, body: { model, max_tokens: 10, messages } });
    await assertNotSent(answer, sent, 404, 'not_found');
  }
  const own = await running.call({ path: '/providers/fake/v1/chat/completions', body: chat });
  assert.equal(own.status, 200, own.text);
});
