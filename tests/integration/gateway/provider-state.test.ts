// Claims about what a provider keeps: an id is of use only to the principal whose recorded call made it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { codeOf, type Person, startGateway, type TestGateway } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import { answerAs, plainly, sendEvents, sendJson } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
let bob: Person;
let carol: Person;
before(async () => {
  running = await startGateway();
  bob = await running.person('bob');
  carol = await running.person('carol');
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});

let made = 0;
/** A response of the person's own, streamed or not. */
async function respond(key: string, more: object = {}): Promise<string> {
  made += 1;
  const id = `resp_${made}`;
  running.provider.answer(answerAs({ ...plainly, id }));
  const answer = await running.call({
    key,
    path: '/v1/responses',
    body: { model: 'm', input: 'hi', ...more },
  });
  assert.equal(answer.status, 200, answer.text);
  running.provider.answer();
  return id;
}

const follow = (key: string, id: string) =>
  running.call({
    key,
    path: '/v1/responses',
    body: { model: 'm', input: 'go on', previous_response_id: id },
  });

test('litellm#39548, #38320, #35530: a foreign previous_response_id is 404, an own one works', async () => {
  for (const more of [{}, { stream: true }]) {
    const id = await respond(bob.key, more);
    const before = running.provider.dispatched();
    for (const key of [carol.key, running.modelsKey]) {
      const answer = await follow(key, id);
      assert.equal(answer.status, 404, answer.text);
      assert.equal(codeOf(answer), 'not_found');
    }
    assert.equal(running.provider.dispatched(), before);
    assert.equal((await follow(bob.key, id)).status, 200);
  }
});

test('bifrost#5025: /v1/responses/{id} and all under it are 404 for anyone else, and work for its maker', async () => {
  const id = await respond(bob.key);
  const ways = [
    ['GET', `/v1/responses/${id}`],
    ['GET', `/openai/v1/responses/${id}`],
    ['GET', `/providers/fake/v1/responses/${id}`],
    ['GET', `/v1/responses/${id}/input_items`],
    ['POST', `/v1/responses/${id}/cancel`],
    ['DELETE', `/v1/responses/${id}`],
  ] as const;
  const before = running.provider.dispatched();
  for (const [method, path] of ways) {
    for (const key of [carol.key, running.modelsKey]) {
      const answer = await running.call({ key, method, path, body: '' });
      assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`);
    }
  }
  assert.equal(running.provider.dispatched(), before);
  for (const [method, path] of ways) {
    const answer = await running.call({ key: bob.key, method, path, body: '' });
    assert.equal(answer.status, 200, `${method} ${path}: ${answer.text}`);
    assert.equal(textAt(await running.record(answer.record()), 'actor.id'), bob.id);
  }
  assert.equal(running.provider.dispatched(), before + ways.length);
});

test('an unknown id and a foreign one are told apart by nothing', async () => {
  const id = await respond(bob.key);
  const [foreign, unknown] = await Promise.all([follow(carol.key, id), follow(carol.key, 'resp_never')]);
  assert.equal(foreign.text.replaceAll(id, '…'), unknown.text.replaceAll('resp_never', '…'));
});

test('reaching for an id of another is recorded before it is refused, by the path and in a body', async () => {
  const id = await respond(bob.key);
  const path = `/v1/responses/${id}`;
  const byPath = await running.call({ key: carol.key, method: 'GET', path, body: '' });
  for (const answer of [byPath, await follow(carol.key, id)]) {
    assert.equal(answer.status, 404, answer.text);
    const record = await running.record(answer.record());
    assert.equal(textAt(record, 'actor.id'), carol.id);
    assert.deepEqual([at(record, 'status'), at(record, 'error')], ['refused', 'not_found']);
    const entry: unknown = JSON.parse(textAt(record, 'entries.0.text'));
    assert.deepEqual([at(entry, 'policy.decision'), at(entry, 'policy.reason')], ['deny', 'foreign_id']);
    assert.equal(at(entry, 'reserved'), undefined);
  }
  const entry: unknown = JSON.parse(textAt(await running.record(byPath.record()), 'entries.0.text'));
  assert.equal(textAt(entry, 'target.route'), path);
});

test("another key of the same person may continue; an agent of another's may not", async () => {
  const id = await respond(bob.key);
  const { key } = await running.keyFor({ principalId: bob.id });
  assert.equal((await follow(key, id)).status, 200);
  const agent = { name: 'carols', workspaceId: running.workspaceId, ownerId: carol.id };
  const agentId = textAt(await running.must('POST', '/agents', agent), 'id');
  const { key: agentKey } = await running.keyFor({ principalId: agentId });
  assert.equal((await follow(agentKey, id)).status, 404);
});

test('what a person made in one workspace is not there for them in another', async () => {
  const workspaceId = textAt(await running.must('POST', '/workspaces', { name: 'elsewhere' }), 'id');
  await running.must('POST', '/role-assignments', { principalId: bob.id, role: 'member', workspaceId });
  const { key } = await running.keyFor({ principalId: bob.id, workspaceId });
  const [here, there] = [await respond(bob.key), await respond(key)];
  assert.deepEqual([(await follow(bob.key, here)).status, (await follow(key, there)).status], [200, 200]);
  assert.deepEqual([(await follow(key, here)).status, (await follow(bob.key, there)).status], [404, 404]);
});

test('an answer that was not to be kept makes no id that could be continued', async () => {
  const id = await respond(bob.key, { store: false });
  assert.equal((await follow(bob.key, id)).status, 404);
});

test('conversations, files, containers and vector stores of others are refused in any place of a body', async () => {
  const before = running.provider.dispatched();
  for (const more of [
    { conversation: 'conv_1' },
    { conversation: { id: 'conv_1' } },
    { input: [{ type: 'item_reference', id: 'msg_resp_x' }] },
    { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file_1' }] }] },
    { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] },
    { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] },
  ]) {
    const answer = await running.call({
      key: bob.key,
      path: '/v1/responses',
      body: { model: 'm', input: 'x', ...more },
    });
    assert.equal(answer.status, 404, `${JSON.stringify(more)}: ${answer.text}`);
  }
  assert.equal(running.provider.dispatched(), before);
});

test('a suspended person reaches nothing that they made, and finds it again when they are back', async () => {
  const id = await respond(bob.key);
  await running.must('PATCH', `/users/${bob.id}`, { status: 'suspended' });
  assert.equal((await follow(bob.key, id)).status, 401);
  await running.must('PATCH', `/users/${bob.id}`, { status: 'active' });
  assert.equal((await follow(bob.key, id)).status, 200);
});

test('a spoken answer is repeated in the next turn by whoever heard it, and by nobody else', async () => {
  await running.publish('@id("all") permit (principal, action, resource);');
  const messages = [{ role: 'user', content: 'hello' }];
  const body = { model: 'm', modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } };
  for (const stream of [false, true]) {
    const id = `audio_${stream}`;
    const audio = { id, expires_at: 9_999_999_999, data: 'AAAA', transcript: 'hi' };
    const choice = { index: 0, ...(stream ? { delta: { audio } } : { message: { content: null, audio } }) };
    const chunk = { id: `c_${stream}`, model: 'm', choices: [choice] };
    const end = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    const events = [chunk, chunk, end, '[DONE]'].map(
      (one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`,
    );
    running.provider.answer((_asked, response) =>
      stream ? sendEvents(response, events) : sendJson(response, JSON.stringify(chunk)),
    );
    const first = await running.call({ key: bob.key, body: { ...body, messages, stream } });
    assert.equal(first.status, 200, first.text);
    running.provider.answer();
    const repeated = { role: 'assistant', audio: { id } };
    const next = { ...body, messages: [...messages, repeated, { role: 'user', content: 'again' }] };
    assert.equal((await running.call({ key: carol.key, body: next })).status, 404);
    assert.equal((await running.call({ key: bob.key, body: next })).status, 200);
  }
});
