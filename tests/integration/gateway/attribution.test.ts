// Claims about attribution: the record names whom the credential proved, and nothing that the client says of itself.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeKey, makeToken } from '@countersign/server/services/authn/sample-issuer';
import { codeOf, startGateway, type TestGateway } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import { at, textAt } from '../../support/server.ts';

const signer = makeKey('ES256', 'k1');
const issuer = 'https://idp.example.com';
let running: TestGateway;
let audience: string;
let service: { readonly id: string; readonly key: string };

before(async () => {
  running = await startGateway();
  const { workspaceId } = running;
  const trusted = await running.must('POST', '/token-issuers', {
    name: 'corp',
    issuer,
    keys: { kind: 'jwks', jwks: { keys: [signer.jwk] } },
    claims: { subject: 'sub', email: 'email', name: 'name', roles: 'groups' },
    roleMap: { users: 'member' },
    justInTime: true,
    workspaceId,
  });
  audience = textAt(trusted, 'audience');
  const app = { name: 'chat-app', workspaceId, clientId: 'chat-app' };
  const id = textAt(await running.must('POST', '/services', app), 'id');
  service = { id, key: (await running.keyFor({ principalId: id })).key };
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});

function token(person: string, claims: object = {}): string {
  const iat = Math.floor(Date.now() / 1000);
  const email = `${person}@example.com`;
  const usual = { iss: issuer, aud: audience, sub: person, email, name: person, azp: 'chat-app' };
  return makeToken(signer, { ...usual, groups: ['users'], iat, exp: iat + 300, ...claims });
}

const chat = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
const userHeader = (person: string) => ['x-countersign-user', token(person)];

test('litellm#31441, #41417: two people interleaved on one service key are each attributed right', async () => {
  const people = ['bob', 'carol', 'dave'];
  const asked = Array.from({ length: 24 }, (_, i) => people[i % people.length] ?? '');
  const answers = await Promise.all(
    asked.map((person, i) =>
      running.call({
        key: service.key,
        headers: userHeader(person),
        // Some lie about who they are, as the first request of the issue did.
        body: { ...chat, ...(i % 2 === 0 ? { user: people[(i + 1) % people.length] } : {}) },
      }),
    ),
  );
  for (const [i, answer] of answers.entries()) {
    assert.equal(answer.status, 200, answer.text);
    const record = await running.record(answer.record());
    assert.equal(textAt(record, 'actor.name'), asked[i]);
    assert.equal(textAt(record, 'actor.kind'), 'user');
    assert.equal(textAt(record, 'actor.application'), service.id);
    assert.equal(textAt(record, 'actor.proof'), 'idp');
  }
  const usage = await running.must('GET', '/usage?groupBy=user');
  const items = at(usage, 'items');
  assert.ok(Array.isArray(items));
  assert.deepEqual(
    items.map((item) => at(item, 'requests')),
    [8, 8, 8],
  );
});

test('litellm#40398: a refreshed token is the same person, not a new one', async () => {
  const first = await running.call({ key: token('erin') });
  const second = await running.call({ key: token('erin', { jti: 'another', groups: ['users', 'more'] }) });
  const ids = await Promise.all(
    [first, second].map(async (answer) => textAt(await running.record(answer.record()), 'actor.id')),
  );
  assert.equal(ids[0], ids[1]);
});

test('litellm PR#19931: what a client says of itself is a label, never identity', async () => {
  const frank = await running.person('frank');
  const claims = {
    user: running.ownerId,
    safety_identifier: running.ownerId,
    metadata: { user_id: running.ownerId, user: 'alice@example.com' },
  };
  const headers = ['x-litellm-end-user-id', running.ownerId, 'x-openwebui-user-id', running.ownerId];
  const answer = await running.call({ key: frank.key, headers, body: { ...chat, ...claims } });
  assert.equal(answer.status, 200, answer.text);
  const record = await running.record(answer.record());
  assert.equal(textAt(record, 'actor.id'), frank.id);
  assert.equal(at(record, 'actor.agents.length'), 0);
  const said = { ...chat, model: 'c', max_tokens: 9, metadata: { user_id: running.ownerId } };
  const message = await running.call({ key: frank.key, path: '/v1/messages', body: said });
  assert.equal(textAt(await running.record(message.record()), 'actor.id'), frank.id);
});

test('archestra PR#3997: a personal key is billed to its person, by cost centre too', async () => {
  const grace = await running.person('grace');
  await running.must('PATCH', `/users/${grace.id}`, { costCentre: 'cc-grace' });
  await running.call({ key: grace.key });
  await running.call({ key: grace.key, body: { ...chat, stream: true } });
  const usage = await running.must('GET', '/usage?groupBy=user,costCenter');
  const items = at(usage, 'items');
  assert.ok(Array.isArray(items));
  const mine = items.filter((item) => at(item, 'group.costCenter') === 'cc-grace');
  assert.deepEqual(
    mine.map((item) => [at(item, 'group.user'), at(item, 'requests')]),
    [[grace.id, 2]],
  );
  assert.ok(Number(at(mine[0], 'costNanos')) > 0);
});

test('spoofed identity headers are neither believed nor passed on', async () => {
  const heidi = await running.person('heidi');
  const spoofed = [
    ...['x-forwarded-user', 'alice@example.com', 'x-forwarded-email', 'alice@example.com'],
    ...['x-auth-request-user', running.ownerId, 'remote-user', 'alice', 'x-remote-user', 'alice'],
    ...['x-forwarded-for', '10.0.0.1', 'forwarded', 'for=10.0.0.1', 'x-real-ip', '10.0.0.1'],
    ...['x-forwarded-client-cert', 'URI=spiffe://example.com/alice', 'x-ms-client-principal', 'YWxpY2U='],
    ...['cookie', 'session=abc', 'x-countersign-org', 'org_other', 'host-header', 'x'],
  ];
  const answer = await running.call({ key: heidi.key, headers: spoofed });
  assert.equal(answer.status, 200);
  const record = await running.record(answer.record());
  assert.equal(textAt(record, 'actor.id'), heidi.id);
  const sent = running.provider.newest().rawHeaders.map((text) => text.toLowerCase());
  for (const text of spoofed) assert.ok(!sent.includes(text.toLowerCase()), `${text} was passed on`);
  assert.ok(!sent.some((text) => text.includes('csk_')), 'our key was passed on');
  assert.ok(sent.includes('bearer sk-fake-provider-key'));
});

test('two different credentials are refused with 400, the same one twice is one', async () => {
  const ivan = await running.person('ivan');
  const { modelsKey } = running;
  const pairs = [
    ['x-api-key', ivan.key],
    ['api-key', ivan.key],
    ['x-goog-api-key', ivan.key],
    ['authorization', `Bearer ${ivan.key}`],
    ['x-api-key', token('judy')],
  ];
  for (const headers of pairs) {
    const before = running.provider.dispatched();
    const answer = await running.call({ key: modelsKey, headers });
    assert.equal(answer.status, 400, headers[0]);
    assert.equal(codeOf(answer), 'credential_conflict');
    assert.equal(running.provider.dispatched(), before);
  }
  const same = await running.call({ key: modelsKey, headers: ['x-api-key', modelsKey] });
  assert.equal(same.status, 200);
});

test("a person's token beside a key needs an application's key, made for that application", async () => {
  const wrongParty = token('bob', { azp: 'another-app' });
  const kim = await running.person('kim');
  const cases = [
    { key: service.key, headers: ['x-countersign-user', wrongParty] },
    { key: kim.key, headers: userHeader('bob') },
    { key: service.key, headers: ['x-countersign-user', `${token('bob')}x`] },
    { key: service.key, headers: ['x-countersign-user', service.key] },
    { key: undefined, headers: userHeader('bob') },
  ];
  for (const one of cases) {
    const answer = await running.call(one);
    assert.equal(answer.status, 401, answer.text);
  }
});

test('CVE-2026-35030: a token that begins like a good one is not the good one', async () => {
  const good = token('bob');
  assert.equal((await running.call({ key: good })).status, 200);
  const [head = '', claims = '', signature = ''] = good.split('.');
  const forged = Buffer.from(
    Buffer.from(claims, 'base64url').toString('utf8').replace('"sub":"bob"', '"sub":"eve"'),
  ).toString('base64url');
  for (const bad of [`${head}.${forged}.${signature}`, `${head}.${claims}.`, `${good.slice(0, -2)}AA`])
    assert.equal((await running.call({ key: bad })).status, 401);
});
