// Claims about what a provider keeps behind endpoints that are passed through: each thing is its maker's alone.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { codeOf, type Person, startGateway, type TestGateway } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import { createPassing } from '../../support/passing.ts';
import { textAt } from '../../support/server.ts';

let running: TestGateway;
let bob: Person;
let carol: Person;
before(async () => {
  running = await startGateway();
  bob = await running.person('bob');
  carol = await running.person('carol');
  await running.publish('@id("all") permit (principal, action, resource);');
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});

const { pass, upload, assertForeign } = createPassing(() => running);

test('bifrost#5025: a file, and all below it, is there for its maker and for nobody else', async () => {
  const id = await upload(bob.key);
  for (const [method, path] of [
    ['GET', `/v1/files/${id}`],
    ['GET', `/v1/files/${id}/content`],
    ['DELETE', `/v1/files/${id}`],
  ] as const) {
    const sent = running.provider.dispatched();
    for (const key of [carol.key, running.modelsKey])
      await assertForeign(await pass(key, method, path), sent, `${method} ${path}`);
    assert.equal((await pass(bob.key, method, path)).status, 200);
  }
});

test('nobody lists what a provider keeps, because it is everyone’s together', async () => {
  await upload(bob.key);
  const sent = running.provider.dispatched();
  for (const path of ['/v1/files', '/v1/files?limit=3', '/v1/vector_stores', '/v1/messages/batches'])
    await assertForeign(await pass(bob.key, 'GET', path), sent, path);
});

test('litellm#35530: a batch over the file of another is not made; over an own one it is, and is its maker’s', async () => {
  const file = await upload(bob.key);
  const body = { input_file_id: file, endpoint: '/v1/embeddings', completion_window: '24h' };
  const sent = running.provider.dispatched();
  await assertForeign(await pass(carol.key, 'POST', '/v1/batches', body), sent, 'over a foreign file');
  const batch = { id: 'batch_OfBob1', object: 'batch', output_file_id: 'file-OutOfBob1' };
  assert.equal((await pass(bob.key, 'POST', '/v1/batches', body, batch)).status, 200);
  const path = `/v1/batches/${batch.id}`;
  await assertForeign(await pass(carol.key, 'GET', path), running.provider.dispatched(), path);
  assert.equal((await pass(bob.key, 'GET', path, '', batch)).status, 200);
  assert.equal((await pass(bob.key, 'GET', '/v1/files/file-OutOfBob1/content')).status, 200);
  const out = '/v1/files/file-OutOfBob1/content';
  await assertForeign(await pass(carol.key, 'GET', out), running.provider.dispatched(), out);
});

test('a foreign id is found by how it looks, wherever in the body or the query it stands', async () => {
  const file = await upload(bob.key);
  const sent = running.provider.dispatched();
  for (const body of [{ file_id: file }, { deep: [{ x: file }] }, { attachments: [{ file_id: file }] }])
    await assertForeign(await pass(carol.key, 'POST', '/v1/vector_stores', body), sent, JSON.stringify(body));
  // Some servers take `;` for `&`.
  for (const query of [`source=${file}`, `limit=1;source=${file}`, `${file};limit=1`, `limit=1;${file}=1`]) {
    const path = `/v1/rerank?${query}`;
    await assertForeign(await pass(carol.key, 'POST', path, { query: 'x' }), sent, path);
  }
});

test('what the content of an own file says of ids makes none of them one’s own', async () => {
  const own = await upload(bob.key);
  const claimed = {
    object: 'thread.run',
    id: own,
    output_file_id: 'file-Claimed1',
    error_file_id: 'file-Claimed2',
    thread_id: 'thread_Claimed1',
    conversation: { id: 'conv_Claimed1' },
    container: { id: 'cntr_Claimed1' },
    output: [{ id: 'msg_Claimed1', file_id: 'file-Claimed3', x: { container_id: 'cntr_Claimed2' } }],
    content: [{ file_id: 'file-Claimed4' }],
  };
  assert.equal((await pass(bob.key, 'GET', `/v1/files/${own}/content`, '', claimed)).status, 200);
  for (const path of [
    ...[1, 2, 3, 4].map((n) => `/v1/files/file-Claimed${n}`),
    ...['/v1/threads/thread_Claimed1', '/v1/conversations/conv_Claimed1', '/v1/containers/cntr_Claimed1'],
  ])
    await assertForeign(await pass(bob.key, 'GET', path), running.provider.dispatched(), path);
  const input = { model: 'm', input: 'x', conversation: 'conv_Claimed1' };
  assert.equal((await running.call({ key: bob.key, path: '/v1/responses', body: input })).status, 404);
});

test('an id that a model says to a tool makes nobody its owner, and what a provider’s own sandbox wrote does', async () => {
  const content = [
    { type: 'tool_use', id: 'toolu_1', name: 't', input: { file_id: 'file-Console1a', container_id: 'c-1' } },
    {
      type: 'bash_code_execution_tool_result',
      content: { content: [{ type: 'bash_code_execution_output', file_id: 'file-Written1a' }] },
    },
  ];
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'c', content };
  running.provider.answer((_asked, response) => {
    const usage = { input_tokens: 1, output_tokens: 1 };
    const text = JSON.stringify({ ...message, stop_reason: 'end_turn', usage });
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
  const body = { model: 'c', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] };
  assert.equal((await running.call({ key: bob.key, path: '/v1/messages', body })).status, 200);
  running.provider.answer();
  const get = (id: string) =>
    running.call({ key: bob.key, method: 'GET', path: `/providers/claude/v1/files/${id}/content`, body: '' });
  const sent = running.provider.dispatched();
  await assertForeign(await get('file-Console1a'), sent, 'said to a tool');
  assert.equal((await get('file-Written1a')).status, 200);
});

test('a thing is its maker’s as what it is: a name or an id of another kind opens nothing', async () => {
  await pass(bob.key, 'POST', '/v1/collections', {}, { name: 'file-Console4a' });
  await pass(bob.key, 'POST', '/v1/predictions', {}, { id: 'batch_Console6' });
  for (const path of ['/v1/files/file-Console4a', '/v1/batches/batch_Console6'])
    await assertForeign(await pass(bob.key, 'GET', path), running.provider.dispatched(), path);
});

test('an id that an answer only repeats becomes nobody’s', async () => {
  const echoed = { id: 'vs_OfCarol1', metadata: { file_id: 'file-Elsewhere1' }, file_id: 'file-Elsewhere1' };
  assert.equal((await pass(carol.key, 'POST', '/v1/vector_stores', {}, echoed)).status, 200);
  const path = '/v1/files/file-Elsewhere1';
  await assertForeign(await pass(carol.key, 'GET', path), running.provider.dispatched(), path);
  assert.equal((await pass(carol.key, 'GET', '/v1/vector_stores/vs_OfCarol1')).status, 200);
});

test('what one thing answers with is not the id of a new one', async () => {
  const file = await upload(bob.key);
  await pass(bob.key, 'GET', `/v1/files/${file}`, '', { id: 'file-SomeoneElses1' });
  const path = '/v1/files/file-SomeoneElses1';
  await assertForeign(await pass(bob.key, 'GET', path), running.provider.dispatched(), path);
});

let second: string | undefined;
/** Another provider, behind which the same server stands. */
async function secondProvider(): Promise<string> {
  const values = { name: 'second', kind: 'openai_compatible', baseUrl: running.provider.origin };
  const apiKey = 'sk-second-provider-key';
  second ??= textAt(await running.must('POST', '/providers', { ...values, apiKey }), 'id');
  return second;
}

test('an id is its maker’s at the provider that gave it, and at no other', async () => {
  await secondProvider();
  const file = await upload(bob.key);
  const sent = running.provider.dispatched();
  const answer = await running.call({
    key: bob.key,
    method: 'GET',
    path: `/providers/second/v1/files/${file}`,
    body: '',
  });
  await assertForeign(answer, sent, 'at another provider');
});

test('a response is its maker’s at its own provider on the known endpoints, too', async () => {
  await running.must('POST', '/models', {
    name: 'm2',
    providerId: await secondProvider(),
    upstreamName: 'm2',
  });
  const respond = async (key: string, model: string, id: string) => {
    running.provider.answer((_asked, response) => {
      const text = JSON.stringify({ id, object: 'response', status: 'completed', output: [] });
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    const answer = await running.call({ key, path: '/v1/responses', body: { model, input: 'x' } });
    running.provider.answer();
    assert.equal(answer.status, 200, answer.text);
  };
  await respond(carol.key, 'm', 'resp_OfCarol9');
  // A provider that lets its caller choose the id of an answer.
  await respond(bob.key, 'm2', 'resp_OfCarol9');
  const follow = (key: string, model: string) =>
    running.call({
      key,
      path: '/v1/responses',
      body: { model, input: 'x', previous_response_id: 'resp_OfCarol9' },
    });
  const sent = running.provider.dispatched();
  await assertForeign(await follow(bob.key, 'm'), sent, 'at the provider of another');
  await assertForeign(await follow(carol.key, 'm2'), sent, 'at the provider of another');
  assert.equal((await follow(bob.key, 'm2')).status, 200);
  assert.equal((await follow(carol.key, 'm')).status, 200);
});

test('policy has the first word: who may not pass hears nothing of ids', async () => {
  const file = await upload(bob.key);
  await running.publish('@id("chat") permit (principal, action == Action::"chat", resource);');
  for (const path of ['/v1/files', `/v1/files/${file}`, '/v1/files/file-Never1']) {
    const answer = await pass(carol.key, 'GET', path);
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'policy_denied'], path);
  }
  await running.publish('@id("all") permit (principal, action, resource);');
});

test('an assistant’s thread, an upload’s file: what their making made is their maker’s', async () => {
  const run = { id: 'run_1', object: 'thread.run', thread_id: 'thread_OfBob1' };
  assert.equal((await pass(bob.key, 'POST', '/v1/threads/runs', {}, run)).status, 200);
  assert.equal((await pass(bob.key, 'GET', '/v1/threads/thread_OfBob1/messages')).status, 200);
  const upload1 = { id: 'upload_OfBob1', object: 'upload' };
  assert.equal((await pass(bob.key, 'POST', '/v1/uploads', {}, upload1)).status, 200);
  const done = { ...upload1, file: { id: 'file-Completed1', object: 'file' } };
  assert.equal((await pass(bob.key, 'POST', '/v1/uploads/upload_OfBob1/complete', {}, done)).status, 200);
  assert.equal((await pass(bob.key, 'GET', '/v1/files/file-Completed1')).status, 200);
  const path = '/v1/files/file-Completed1';
  await assertForeign(await pass(carol.key, 'GET', path), running.provider.dispatched(), path);
});
