// Claims about where a call came from: sealed once for each client, named by its record, opened for a reason, erasable.

import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import {
  codeOf,
  type Person,
  type RawAnswer,
  startGateway,
  type TestGateway,
} from '../../support/gateway.ts';
import { entriesOnDisk } from '../../support/ledger-on-disk.ts';
import { makeSecondOwner } from '../../support/second-owner.ts';
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
  await running.stop();
});

const agentOf = (name: string) => `model-client/${name} (of the heron)`;
const call = (name: string, key = bob.key): Promise<RawAnswer> =>
  running.call({
    key,
    headers: ['user-agent', agentOf(name)],
    body: { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
  });
const reason = { reason: 'incident 4711, asked by legal' };
const open = (id: string, key?: string) => running.api('POST', `/records/${id}/content`, reason, key);
const intentOf = (answer: RawAnswer) =>
  entriesOnDisk(running).find((entry) => at(entry, 'id') === answer.record());
/** How many clients of the two people are sealed; what is in the journal is taken in before records are read. */
async function sealedClients(): Promise<number> {
  await running.must('GET', '/records?limit=1');
  const store = running.store('read');
  try {
    const sealed = store.prepare("select 1 from sidecars where purpose = 'client' and subject_id in (?, ?)");
    return sealed.all(bob.id, carol.id).length;
  } finally {
    store.close();
  }
}

test('a call says from where it came to whoever may ask, and to nobody else', async () => {
  const answer = await call('a');
  assert.equal(answer.status, 200, answer.text);
  const opened = await open(answer.record());
  assert.equal(opened.status, 200, JSON.stringify(opened.body));
  assert.deepEqual(at(opened.body, 'client'), { address: '127.0.0.1', userAgent: agentOf('a') });
  assert.equal(at(opened.body, 'request'), undefined, 'its content was not to be kept');
  const { key } = await running.keyFor({ principalId: bob.id, use: 'management' });
  assert.equal((await open(answer.record(), key)).status, 403);
  const files = ['countersign.db', 'countersign.db-wal', 'countersign.journal'];
  const disk = Buffer.concat(files.map((file) => readFileSync(join(running.directory, file))));
  assert.equal(disk.includes('of the heron'), false, 'neither the log nor the store says it');
});

test('a client is sealed once: later calls name the entry beside which it lies, each subject and client its own', async () => {
  const first = await call('b');
  const before = await sealedClients();
  const again = [await call('b'), await call('b')];
  assert.equal(await sealedClients(), before);
  for (const answer of again) {
    assert.equal(textAt(intentOf(answer), 'content.client'), first.record());
    assert.equal(at(intentOf(answer), 'content.client_c'), undefined);
    assert.deepEqual(at((await open(answer.record())).body, 'client.userAgent'), agentOf('b'));
  }
  for (const other of [await call('c'), await call('b', carol.key)])
    assert.equal(textAt(intentOf(other), 'content.client'), other.record());
  assert.equal(await sealedClients(), before + 2);
});

test('a service that calls alone has its client and the commitments to its content, and they can be sealed', async () => {
  const service = { name: 'front', workspaceId: running.workspaceId };
  const id = textAt(await running.must('POST', '/services', service), 'id');
  const { key } = await running.keyFor({ principalId: id });
  await running.publish('@id("all") permit (principal, action, resource);');
  const answer = await call('s', key);
  assert.equal(answer.status, 200, answer.text);
  assert.match(textAt(intentOf(answer), 'content.req_c'), /^[0-9a-f]{64}$/);
  assert.equal(at((await open(answer.record())).body, 'client.userAgent'), agentOf('s'));
  await running.publish('@id("all") @content("keep") permit (principal, action, resource);');
  const kept = await call('s', key);
  assert.equal(kept.status, 200, kept.text);
  assert.match(textAt((await open(kept.record())).body, 'request'), /"content":"hi"/);
  await running.publish('@id("all") permit (principal, action, resource);');
});

test('a person who calls from many clients at once is told apart in each record', async () => {
  const names = Array.from({ length: 9 }, (_, i) => `many-${i % 7}`);
  for (const name of [...names, ...names]) {
    const answer = await call(name);
    assert.equal(at((await open(answer.record())).body, 'client.userAgent'), agentOf(name));
  }
});

test('the commitment in the first entry follows from the client and the salt of that entry', async () => {
  const answer = await call('d');
  const { organizationId } = running;
  assert.ok(isId('org', organizationId) && isId('user', bob.id));
  const key = await running.server.gateway.deps.subjectKey(organizationId, bob.id);
  assert.ok(key !== undefined);
  const salt = createHmac('sha256', key.object).update(`${answer.record()}\u0000client`).digest();
  const client = JSON.stringify({ address: '127.0.0.1', userAgent: agentOf('d') });
  const commitment = createHash('sha256').update(salt).update(client).digest('hex');
  assert.equal(textAt(intentOf(answer), 'content.client_c'), commitment);
});

test('a denied call says from where it came, too', async () => {
  await running.publish('@id("nobody") forbid (principal, action, resource);');
  const answer = await call('e');
  assert.deepEqual([answer.status, codeOf(answer)], [403, 'policy_denied']);
  assert.equal(at((await open(answer.record())).body, 'client.userAgent'), agentOf('e'));
  await running.publish('@id("all") permit (principal, action, resource);');
});

test('who changed something, and who was denied a change, says from where', async () => {
  const team = await running.must('POST', '/teams', { workspaceId: running.workspaceId, name: 'from-here' });
  const { key } = await running.keyFor({ principalId: bob.id, use: 'management' });
  const denied = await running.api('POST', '/teams', { workspaceId: running.workspaceId, name: 'x' }, key);
  assert.equal(denied.status, 403);
  const made = entriesOnDisk(running).filter((entry) => at(entry, 'op') === 'team.create');
  assert.deepEqual(
    made.map((entry) => at(entry, 'status')),
    ['ok', 'denied'],
  );
  for (const entry of made) {
    const opened = await open(textAt(entry, 'id'));
    assert.equal(at(opened.body, 'client.address'), '127.0.0.1', JSON.stringify([team, opened.body]));
  }
});

test('a client that does not say what it is, and one that says too much, are kept as far as they go', async () => {
  const silent = await running.call({ key: bob.key, body: { model: 'm', messages: [] } });
  assert.equal(at((await open(silent.record())).body, 'client.userAgent'), '');
  const long = await call('x'.repeat(2_000));
  assert.equal(textAt((await open(long.record())).body, 'client.userAgent').length, 512);
});

test('an organization that keeps no clients has none in its records', async () => {
  await running.must('PATCH', '/organization', { clientMode: 'none' });
  const before = await sealedClients();
  const answer = await call('a');
  assert.equal(at(intentOf(answer), 'content.client'), undefined);
  assert.equal((await open(answer.record())).status, 404);
  const { key } = await running.keyFor({ principalId: bob.id, use: 'management' });
  const team = { workspaceId: running.workspaceId, name: 'nowhere' };
  assert.equal((await running.api('POST', '/teams', team, key)).status, 403);
  const denial = entriesOnDisk(running).findLast((entry) => at(entry, 'op') === 'team.create');
  assert.deepEqual([at(denial, 'status'), at(denial, 'content.client')], ['denied', undefined]);
  assert.equal(await sealedClients(), before);
  await running.must('PATCH', '/organization', { clientMode: 'sealed' });
  assert.equal((await open((await call('a')).record())).status, 200);
});

test('who is erased has called from nowhere', async () => {
  const { key } = await makeSecondOwner(running);
  await running.must('PATCH', '/organization', { minimumRetentionDays: 0 });
  const answer = await call('a');
  const erase = (by?: string) =>
    running.must('POST', `/users/${bob.id}/erase`, { reason: 'asked by the person' }, by);
  await erase();
  await erase(key);
  assert.equal((await open(answer.record())).status, 404);
});
