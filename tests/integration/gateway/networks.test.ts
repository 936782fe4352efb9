// Claims about where a call comes from: policy and the record see the names of networks, and no invented address.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Call, codeOf, send } from '../../support/gateway.ts';
import { at, startServer, type TestServer, textAt } from '../../support/server.ts';

const networks = [
  { name: 'machine', cidrs: ['127.0.0.0/8'] },
  { name: 'office', cidrs: ['192.0.2.0/24'] },
];
const text = `@id("from-known-networks") permit (principal, action, resource)
when { context.network.containsAny(["machine", "office"]) };`;

/** A server behind no proxy, and one behind a proxy on this machine. */
let direct: TestServer;
let behind: TestServer;
before(async () => {
  direct = await startServer();
  behind = await startServer({ env: { COUNTERSIGN_TRUSTED_PROXIES: '127.0.0.1' } });
  for (const { api } of [direct, behind]) {
    assert.equal((await api('PATCH', '/organization', { networks })).status, 200);
    assert.equal((await api('PUT', '/policy', { text })).status, 200);
  }
});
after(async () => {
  await direct.stop();
  await behind.stop();
});

const body = { model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] };
async function ask(server: TestServer, forwarded: readonly string[]) {
  const headers = forwarded.flatMap((value) => ['x-forwarded-for', value]);
  const call: Call = { headers, body };
  const answer = await send(server.url, server.modelsKey, call);
  const { body: record } = await server.api('GET', `/records/${answer.record()}`);
  const intent: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  return { answer, networks: at(intent, 'ctx.network'), intent: textAt(record, 'entries.0.text') };
}

test('a call from a named network is decided and recorded by its name, without its address', async () => {
  const { answer, networks: seen, intent } = await ask(direct, []);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(seen, ['machine']);
  assert.ok(!intent.includes('127.0.0.1'), intent);
});

test('behind a listed proxy the last address that it saw counts, and nothing left of it', async () => {
  assert.deepEqual((await ask(behind, ['192.0.2.9'])).networks, ['office']);
  const lied = await ask(behind, ['192.0.2.9, 198.51.100.1']);
  assert.equal(lied.answer.status, 403, lied.answer.text);
  assert.equal(codeOf(lied.answer), 'policy_denied');
  assert.deepEqual(lied.networks, []);
  assert.deepEqual((await ask(behind, ['192.0.2.9', '198.51.100.1'])).networks, []);
});

test('without a listed proxy a forwarded address changes nothing', async () => {
  assert.deepEqual((await ask(direct, ['198.51.100.1'])).networks, ['machine']);
});
