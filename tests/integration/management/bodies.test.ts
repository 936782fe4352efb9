// Claims about bodies of management requests: one reading, and bounds that no member passes.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at, startServer, type TestServer, textAt } from '../../support/server.ts';

let server: TestServer;
let member: string;

async function must(method: string, path: string, body: unknown): Promise<unknown> {
  const answer = await server.api(method, path, body);
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  return answer.body;
}

before(async () => {
  server = await startServer();
  const { workspaceId } = server;
  const person = { email: 'm@example.com', name: 'm', role: 'member', workspaceId };
  const principalId = textAt(await must('POST', '/users', person), 'id');
  const key = { name: 'm', principalId, workspaceId, use: 'management' };
  member = textAt(await must('POST', '/keys', key), 'key');
});
after(async () => {
  await server.stop();
});

/** What a body is answered with: the status and the text of the problem. */
async function sent(body: string, path = '/keys', key = member) {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
  });
  const text = await response.text();
  const problem: unknown = JSON.parse(text);
  return { status: response.status, text, detail: textAt(problem, 'detail'), problem };
}

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

test('a body of a member is bounded in bytes, depth and values, and refused before it is parsed', async () => {
  const deep = await sent(`{"name":${nested(100_000)}}`);
  assert.equal(deep.status, 400);
  assert.match(deep.detail, /nests deeper than 32 levels/);
  const wide = await sent(`{"name":[${'{},'.repeat(60_000)}{}]}`);
  assert.equal(wide.status, 400);
  assert.match(wide.detail, /holds more than 10000 values/);
  const long = await sent(`{"name":"${'x'.repeat(300_000)}"}`);
  assert.equal(long.status, 413);
});

test('a key of an issuer that nests without end is a wrong request and no error of the server', async () => {
  const { workspaceId, managementKey } = server;
  const start = `{"name":"x","issuer":"https://a.example","workspaceId":"${workspaceId}"`;
  const body = `${start},"keys":{"kind":"jwks","jwks":{"keys":[{"kty":"EC","x":${nested(5_000)}}]}}}`;
  assert.equal((await sent(body, '/token-issuers', managementKey)).status, 400);
});

test('a refusal repeats little of what was sent, however much was wrong', async () => {
  const unknown = Array.from({ length: 4_000 }, (_, i) => `"${'k'.repeat(30)}${i}":1`).join(',');
  const members = await sent(`{"name":"x",${unknown}}`);
  assert.equal(members.status, 400);
  assert.match(members.detail, /and 3990 more/);
  assert.ok(members.text.length < 4_000, String(members.text.length));
  const models = await sent(JSON.stringify({ name: 'x', models: Array.from({ length: 9_000 }, () => 1) }));
  assert.equal(models.status, 400);
  const fields = at(models.problem, 'fields');
  assert.ok(Array.isArray(fields) && fields.length <= 20);
  const name = 'n'.repeat(100_000);
  const { managementKey } = server;
  const long = await sent(JSON.stringify({ name: 'x', [name]: { [name]: 1 } }), '/workspaces', managementKey);
  assert.ok(long.text.length < 2_000, String(long.text.length));
});

test('a member that repeats, in any spelling, is refused, as on the data plane', async () => {
  for (const body of [
    '{"name":"a","name":"b"}',
    '{"name":"a","n\\u0061me":"b"}',
    '{"name":"a","__proto__":{}}',
  ]) {
    const answer = await sent(body);
    assert.equal(answer.status, 400, body);
    assert.match(answer.detail, /repeated key|`__proto__`/);
  }
  for (const body of ['[]', 'null', '"x"', '{"name":"a"', '\ufeff{}'])
    assert.equal((await sent(body)).status, 400, body);
});

test('a dictionary as long as its record may be, and the largest question about policy, are within the bounds', async () => {
  const terms = Array.from({ length: 11_000 }, (_, i) => i.toString(36).padStart(2, '0'));
  await must('POST', '/classifiers', { name: 'large', label: 'large_list', terms });
  const text = 'permit (principal, action, resource);\n';
  const question = { principal: server.ownerId, model: 'sandbox', prompt: 'é'.repeat(900_000), text };
  await must('POST', '/policy/check', question);
});

/** The status of a request whose body ends only after something else was done. */
async function sentSlowly(path: string, key: string, body: unknown, meanwhile: () => Promise<unknown>) {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const sending = request(`${server.url}/api/v1${path}`, { method: 'POST', headers }, (answer) => {
    answer.resume();
    resolve(answer.statusCode);
  });
  sending.on('error', reject);
  const text = JSON.stringify(body);
  sending.write(text.slice(0, 5));
  await sleep(100);
  await meanwhile();
  sending.end(text.slice(5));
  return promise;
}

test('whoever sends the end of a body when their credential has ended is refused, whatever they asked', async () => {
  const asked: readonly (readonly [path: string, body: unknown])[] = [
    ['/keys', { name: 'slow', use: 'management' }],
    ['/policy/check', { principal: server.ownerId, model: 'sandbox' }],
    ['/policy/simulate', { text: 'permit (principal, action, resource);\n' }],
  ];
  for (const [path, body] of asked) {
    const made = await must('POST', '/keys', { name: 'old', use: 'management' });
    const [id, key] = [textAt(made, 'id'), textAt(made, 'key')];
    assert.ok(Number(await sentSlowly(path, key, body, () => sleep(1))) < 300, path);
    const overlap = async (): Promise<void> => {
      await must('POST', `/keys/${id}/rotate`, { overlapSeconds: 1 });
      await sleep(1_100);
    };
    assert.equal(await sentSlowly(path, key, body, overlap), 401, `${path} with a former secret`);
    const again = textAt(await must('POST', `/keys/${id}/rotate`, { overlapSeconds: 0 }), 'key');
    const revoke = (): Promise<unknown> => must('POST', `/keys/${id}/revoke`, {});
    assert.equal(await sentSlowly(path, again, body, revoke), 401, `${path} with a revoked key`);
  }
});
