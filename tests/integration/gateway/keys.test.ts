// Claims about virtual keys on the data plane: each rule of a key's life is evaluated at use.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { serveInference } from '@countersign/server/gateway/inference';
import { createRounds } from '@countersign/server/platform/rounds/rounds';
import { chatCall } from '../../support/call-in-process.ts';
import { codeOf, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});

const statusOf = async (key: string): Promise<number> => (await running.call({ key })).status;
const pause = (ms: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });

test('after a rotation both secrets work until the overlap ends, and then the new one alone', async () => {
  const { id, key } = await running.keyFor({});
  const rotated = textAt(await running.must('POST', `/keys/${id}/rotate`, { overlapSeconds: 1 }), 'key');
  assert.notEqual(rotated, key);
  assert.deepEqual([await statusOf(key), await statusOf(rotated)], [200, 200]);
  const [old, fresh] = await Promise.all([running.call({ key }), running.call({ key: rotated })]);
  for (const answer of [old, fresh])
    assert.equal(textAt(await running.record(answer.record()), 'actor.credential'), id);
  await pause(1_050);
  assert.deepEqual([await statusOf(key), await statusOf(rotated)], [401, 200]);
  const again = textAt(await running.must('POST', `/keys/${id}/rotate`, { overlapSeconds: 0 }), 'key');
  assert.deepEqual([await statusOf(rotated), await statusOf(again)], [401, 200]);
  await running.must('POST', `/keys/${id}/revoke`, {});
  assert.equal(await statusOf(again), 401);
});

test('an expired key is refused; the answer does not say which part was wrong', async () => {
  const { key } = await running.keyFor({ expiresInSeconds: 60 });
  assert.equal(await statusOf(key), 200);
  const { deps } = running.server.gateway;
  const inAMinute = { ...deps, now: () => Date.now() + 61_000 };
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
  const { call, reply, done } = chatCall(key, body, (count) => new Uint8Array(count).fill(7));
  await serveInference(inAMinute, call, reply);
  assert.equal((await done).refused, 'authentication_failed');
  const unknown = `${key.slice(0, 10)}${key[10] === '0' ? '1' : '0'}${key.slice(11)}`;
  const { id, key: revoked } = await running.keyFor({});
  await running.must('POST', `/keys/${id}/revoke`, {});
  const texts = await Promise.all([unknown, revoked].map((bad) => running.call({ key: bad })));
  const [first, second] = texts.map((answer) => at(answer.json(), 'error.message'));
  assert.equal(first, second);
});

test('no call is recorded at a time at which its key had ended, however the clock went on while it was decided', async () => {
  const { id, key } = await running.keyFor({ expiresInSeconds: 60 });
  const ends = Date.parse(textAt(await running.must('GET', `/keys/${id}`), 'expiresAt'));
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
  const { deps } = running.server.gateway;
  const answers: unknown[] = [];
  for (let asks = 0; asks < 6; asks += 1) {
    let at = ends - asks;
    const ticking = { ...deps, now: () => at++ };
    const { call, reply, done } = chatCall(key, body, (count) => randomBytes(count));
    await serveInference(ticking, call, reply);
    answers.push((await done).refused);
  }
  assert.equal(answers[0], 'authentication_failed');
  assert.equal(answers.at(-1), undefined);
  const { items } = Object(await running.must('GET', '/records?limit=3'));
  assert.ok(Array.isArray(items));
  for (const item of items) {
    const text = textAt(await running.record(textAt(item, 'id')), 'entries.0.text');
    const entry: unknown = JSON.parse(text);
    assert.equal(textAt(entry, 'actor.cred'), id);
    assert.ok(Date.parse(textAt(entry, 'ts')) < ends, text);
  }
});

test('calls that wait for their round when their key is revoked are refused, and nothing of them leaves', async () => {
  const { id, key } = await running.keyFor({});
  assert.equal(await statusOf(key), 200);
  const due: (() => void)[] = [];
  const deps = { ...running.server.gateway.deps, rounds: createRounds((work) => due.push(work)) };
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
  const before = running.provider.dispatched();
  const calls = [1, 2].map((n) => chatCall(key, body, (count) => new Uint8Array(count).fill(n)));
  const served = calls.map(({ call, reply }) => serveInference(deps, call, reply));
  assert.ok(await until(() => due.length === 1));
  await running.must('POST', `/keys/${id}/revoke`, {});
  for (const work of due.splice(0)) work();
  await Promise.all(served);
  for (const { done } of calls) assert.equal((await done).refused, 'authentication_failed');
  assert.equal(running.provider.dispatched(), before);
});

test('a key narrowed to models reaches no other, by name, by alias, as a fallback or around them', async () => {
  const other = {
    name: 'other',
    aliases: ['other-alias'],
    providerId: running.providerId,
    upstreamName: 'o',
  };
  await running.must('POST', '/models', other);
  const { key } = await running.keyFor({ models: ['m'] });
  const before = running.provider.dispatched();
  const messages = [{ role: 'user', content: 'hello' }];
  assert.equal(await statusOf(key), 200);
  for (const body of [
    { model: 'other', messages },
    { model: 'other-alias', messages },
  ]) {
    const answer = await running.call({ key, body });
    assert.ok(answer.status >= 400, JSON.stringify(body));
  }
  const fallbacks = [{ model: 'c' }];
  const message = await running.call({
    key,
    path: '/v1/messages',
    body: { model: 'm', max_tokens: 9, messages, fallbacks },
  });
  assert.equal(message.status, 404, message.text);
  await running.publish('permit (principal, action, resource);');
  const around = await running.call({ key, method: 'GET', path: '/providers/fake/v1/files', body: '' });
  assert.equal(around.status, 404, around.text);
  assert.equal(running.provider.dispatched(), before + 1);
  const listed = await running.call({ key, method: 'GET', path: '/v1/models', body: '' });
  const data = at(listed.json(), 'data');
  assert.ok(Array.isArray(data));
  assert.deepEqual(
    data.map((model) => at(model, 'id')),
    ['m'],
  );
});

test('litellm PR#26861: suspending a person stops their keys at once; their return restores them', async () => {
  const nina = await running.person('nina');
  const agent = { name: 'nina-agent', workspaceId: running.workspaceId, ownerId: nina.id };
  const agentId = textAt(await running.must('POST', '/agents', agent), 'id');
  const { key: agentKey } = await running.keyFor({ principalId: agentId });
  assert.deepEqual([await statusOf(nina.key), await statusOf(agentKey)], [200, 200]);
  await running.must('PATCH', `/users/${nina.id}`, { status: 'suspended' });
  assert.deepEqual([await statusOf(nina.key), await statusOf(agentKey)], [401, 401]);
  await running.must('PATCH', `/users/${nina.id}`, { status: 'active' });
  assert.deepEqual([await statusOf(nina.key), await statusOf(agentKey)], [200, 200]);
});

test('litellm#7336, #8029: a key never exceeds its owner: what its owner loses it loses', async () => {
  const oscar = await running.person('oscar');
  assert.equal(await statusOf(oscar.key), 200);
  const list = at(await running.must('GET', '/role-assignments?limit=100'), 'items');
  assert.ok(Array.isArray(list));
  const mine = list.find((item) => at(item, 'principalId') === oscar.id);
  await running.must('DELETE', `/role-assignments/${textAt(mine, 'id')}`);
  const answer = await running.call({ key: oscar.key });
  assert.equal(answer.status, 403, answer.text);
  assert.equal(codeOf(answer), 'permission_denied');
  assert.equal(textAt(await running.record(answer.record()), 'status'), 'refused');
});

test("an agent's key resolves to its owner, with the agent as the one who acts", async () => {
  const peggy = await running.person('peggy');
  const agent = { name: 'peggy-agent', workspaceId: running.workspaceId, ownerId: peggy.id };
  const agentId = textAt(await running.must('POST', '/agents', agent), 'id');
  const { key } = await running.keyFor({ principalId: agentId });
  const answer = await running.call({ key });
  const record = await running.record(answer.record());
  assert.equal(textAt(record, 'actor.id'), peggy.id);
  assert.equal(textAt(record, 'actor.kind'), 'user');
  assert.deepEqual(at(record, 'actor.agents'), [agentId]);
  const text = textAt(record, 'entries.0.text');
  const entry: unknown = JSON.parse(text);
  assert.deepEqual(at(entry, 'actor.act'), [{ id: agentId, kind: 'agent' }]);
  await running.must('PATCH', `/agents/${agentId}`, { status: 'suspended' });
  assert.deepEqual([await statusOf(key), await statusOf(peggy.key)], [401, 200]);
});

test('a service that names no person is denied, and its record says that nobody was identified', async () => {
  await running.publish(defaultPolicyText);
  const service = { name: 'batch', workspaceId: running.workspaceId };
  const id = textAt(await running.must('POST', '/services', service), 'id');
  const { key } = await running.keyFor({ principalId: id });
  const before = running.provider.dispatched();
  const answer = await running.call({ key });
  assert.equal(answer.status, 403);
  assert.match(answer.text, /a-person-stands-behind-every-call/);
  assert.equal(running.provider.dispatched(), before);
  const record = await running.record(answer.record());
  assert.equal(textAt(record, 'actor.kind'), 'service');
  assert.equal(textAt(record, 'actor.id'), id);
  assert.equal(at(record, 'actor.name'), undefined);
  assert.deepEqual(at(record, 'rules'), ['a-person-stands-behind-every-call']);
});

test('a key that requires a person works only beside a token', async () => {
  const service = { name: 'front', workspaceId: running.workspaceId, clientId: 'front' };
  const id = textAt(await running.must('POST', '/services', service), 'id');
  const { key } = await running.keyFor({ principalId: id, requireUser: true });
  const alone = await running.call({ key });
  assert.equal(alone.status, 401);
  assert.match(alone.text, /acts for people only: send the token of one in `x-countersign-user`/);
  const own = await running.api('POST', '/keys', { name: 'x', requireUser: true });
  assert.equal(own.status, 400);
});

test('litellm#18731: no refusal, record or list shows a key', async () => {
  const { id, key } = await running.keyFor({});
  await running.must('POST', `/keys/${id}/revoke`, {});
  const secret = key.split('_')[2] ?? '';
  const refused = await running.call({ key });
  const texts = [
    refused.text,
    ...(await Promise.all(
      ['/keys', `/keys/${id}`, '/records', '/usage'].map(async (path) =>
        JSON.stringify(await running.must('GET', path)),
      ),
    )),
  ];
  for (const text of texts) assert.ok(!text.includes(secret));
});
