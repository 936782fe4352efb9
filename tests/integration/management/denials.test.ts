// Claims about what leaves a trace when administration says no: whoever reaches for more is in the record.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Person, startGateway, type TestGateway } from '../../support/gateway.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
let mallory: Person;
let managing: string;
before(async () => {
  running = await startGateway();
  mallory = await running.person('mallory');
  managing = (await running.keyFor({ principalId: mallory.id, use: 'management' })).key;
});
after(async () => {
  await running.stop();
});

type Tried = readonly [method: string, path: string, body: unknown, status: number, code: string];

/** The newest management record, with its one entry. */
async function newest(): Promise<{ readonly record: unknown; readonly entry: unknown }> {
  const list = await running.must('GET', '/records?type=management&limit=1');
  const items = at(list, 'items');
  const [first]: readonly unknown[] = Array.isArray(items) ? items : [];
  const record = await running.must('GET', `/records/${textAt(first, 'id')}`);
  const entry: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  return { record, entry };
}

async function demandRecorded([method, path, body, status, code]: Tried, key: string, id: string) {
  const answer = await running.api(method, path, body, key);
  assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  assert.equal(textAt(answer.body, 'code'), code);
  const { record, entry } = await newest();
  assert.equal(textAt(record, 'requestId'), answer.headers.get('x-request-id'), `${method} ${path}`);
  assert.equal(textAt(record, 'actor.id'), id);
  assert.equal(textAt(entry, 'err.code'), code);
  return { record, entry };
}

test('a denial that the operation itself finds is recorded before it is told, as one that its permission gives', async () => {
  const { workspaceId, ownerId } = running;
  const agent = { name: 'owners', workspaceId, ownerId };
  const agentId = textAt(await running.must('POST', '/agents', agent), 'id');
  const tries: readonly Tried[] = [
    // Without the operation's permission.
    ['POST', '/users', { email: 'x@example.com', name: 'x', role: 'member' }, 403, 'permission_denied'],
    // With it, for what it does not reach.
    ['POST', '/keys', { name: 'k', principalId: ownerId }, 403, 'permission_denied'],
    ['POST', '/keys', { name: 'k', principalId: agentId }, 403, 'permission_denied'],
    ['POST', '/agents', { name: 'a', workspaceId, ownerId }, 403, 'permission_denied'],
  ];
  for (const tried of tries) {
    const { entry } = await demandRecorded(tried, managing, mallory.id);
    assert.equal(textAt(entry, 'status'), 'denied');
    assert.equal(at(entry, 'change'), undefined);
  }
});

test('an administrator of one workspace who reaches for the whole organization is in the record', async () => {
  const body = { email: 'local@example.com', name: 'local', role: 'admin', workspaceId: running.workspaceId };
  const id = textAt(await running.must('POST', '/users', body), 'id');
  const { key } = await running.keyFor({ principalId: id, use: 'management' });
  const give = { principalId: id, role: 'owner' };
  const { record } = await demandRecorded(
    ['POST', '/role-assignments', give, 403, 'permission_denied'],
    key,
    id,
  );
  assert.equal(textAt(record, 'event'), 'role_assignment.create');
  const text = 'permit (principal, action, resource);';
  await demandRecorded(['POST', '/policy/simulate', { text }, 403, 'permission_denied'], key, id);
});

test('an erasure that is refused is recorded with why', async () => {
  const victim = await running.person('victim');
  const erase = ['POST', `/users/${victim.id}/erase`, { reason: 'asked for by the person' }] as const;
  await running.must(...erase);
  const { entry } = await demandRecorded(
    [...erase, 403, 'second_person_required'],
    running.managementKey,
    running.ownerId,
  );
  assert.equal(textAt(entry, 'status'), 'denied');
  await running.must('PATCH', '/organization', { legalHold: true });
  const held = await demandRecorded([...erase, 409, 'legal_hold'], running.managementKey, running.ownerId);
  assert.equal(textAt(held.entry, 'status'), 'refused');
  await running.must('PATCH', '/organization', { legalHold: false });
});
