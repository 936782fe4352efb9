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

/** The newest record of the type, with its one entry. */
async function newest(type: string): Promise<{ readonly record: unknown; readonly entry: unknown }> {
  const list = await running.must('GET', `/records?type=${type}&limit=1`);
  const items = at(list, 'items');
  const [first]: readonly unknown[] = Array.isArray(items) ? items : [];
  const record = await running.must('GET', `/records/${textAt(first, 'id')}`);
  const entry: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  return { record, entry };
}

async function demandRecorded(
  [method, path, body, status, code]: Tried,
  key: string,
  id: string,
  type = 'management',
) {
  const answer = await running.api(method, path, body, key);
  assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  assert.equal(textAt(answer.body, 'code'), code);
  const { record, entry } = await newest(type);
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

test('an erasure that is asked for, and one that is refused, is recorded with whom it was about and why', async () => {
  const victim = await running.person('victim');
  const reason = 'asked for by the person';
  const erase = ['POST', `/users/${victim.id}/erase`, { reason }] as const;
  await running.must(...erase);
  const { entry: asked } = await newest('management');
  assert.equal(textAt(asked, 'op'), 'user.erase');
  assert.equal(textAt(asked, 'target.resource'), victim.id);
  assert.equal(textAt(asked, 'reason'), reason);
  assert.deepEqual(at(asked, 'approvers'), [running.ownerId]);
  const refused = async (status: number, code: string) => {
    const tried: Tried = [...erase, status, code];
    const { entry } = await demandRecorded(tried, running.managementKey, running.ownerId, 'erasure');
    assert.equal(textAt(entry, 'subject'), victim.id);
    assert.equal(textAt(entry, 'reason'), reason);
    return textAt(entry, 'status');
  };
  assert.equal(await refused(403, 'second_person_required'), 'denied');
  await running.must('PATCH', '/organization', { legalHold: true });
  assert.equal(await refused(409, 'legal_hold'), 'refused');
  await running.must('PATCH', '/organization', { legalHold: false, minimumRetentionDays: 30 });
  assert.equal(await refused(409, 'retention_not_met'), 'refused');
  await running.must('PATCH', '/organization', { minimumRetentionDays: 0 });
  // Refused before its body is read, there is no reason to record.
  const { entry } = await demandRecorded(
    [...erase, 403, 'permission_denied'],
    managing,
    mallory.id,
    'erasure',
  );
  assert.equal(textAt(entry, 'subject'), victim.id);
  assert.equal(at(entry, 'reason'), undefined);
});

test('a reading of content that is refused is recorded with the record that it was about', async () => {
  const call = await running.call({ key: mallory.key });
  const record = call.record();
  const requestId = textAt(await running.record(record), 'requestId');
  for (const named of [record, requestId]) {
    const path = `/records/${named}/content`;
    const tried: Tried = ['POST', path, { reason: 'out of curiosity' }, 403, 'permission_denied'];
    const { entry } = await demandRecorded(tried, managing, mallory.id, 'content_read');
    assert.equal(textAt(entry, 'record'), named);
    assert.equal(textAt(entry, 'status'), 'denied');
  }
  const nowhere = record.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  const path = `/records/${nowhere}/content`;
  const tried: Tried = ['POST', path, { reason: 'incident 4711' }, 404, 'not_found'];
  const { entry } = await demandRecorded(tried, running.managementKey, running.ownerId, 'content_read');
  assert.equal(textAt(entry, 'record'), nowhere);
  assert.equal(textAt(entry, 'reason'), 'incident 4711');
});

test('a change that something there stands in the way of is recorded as refused, by what its path names', async () => {
  const owner = [running.managementKey, running.ownerId] as const;
  const { keyId } = await running.person('once');
  await running.must('POST', `/keys/${keyId}/revoke`);
  const missing = keyId.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  const tries: readonly (readonly [Tried, string | undefined])[] = [
    [['POST', '/workspaces', { name: 'default' }, 409, 'already_exists'], undefined],
    [['POST', `/keys/${keyId}/rotate`, { overlapSeconds: 0 }, 409, 'conflict'], keyId],
    [['POST', `/keys/${missing}/revoke`, undefined, 404, 'not_found'], missing],
  ];
  for (const [tried, resource] of tries) {
    const { entry } = await demandRecorded(tried, ...owner);
    assert.equal(textAt(entry, 'status'), 'refused');
    assert.equal(at(entry, 'target.resource'), resource);
  }
});

test('what is no id of ours in a path is in no entry, and a look-up that finds nothing leaves none', async () => {
  const mail = 'someone@example.com';
  const erase: Tried = ['POST', `/users/${mail}/erase`, { reason: 'curious' }, 403, 'permission_denied'];
  const { entry } = await demandRecorded(erase, managing, mallory.id);
  assert.equal(textAt(entry, 'op'), 'user.erase');
  assert.equal(JSON.stringify(entry).includes(mail), false);
  const before = textAt((await newest('management')).record, 'id');
  assert.equal(
    (await running.api('GET', `/users/${mallory.id.replace(/.$/, (last) => (last === '7' ? '8' : '7'))}`))
      .status,
    404,
  );
  assert.equal((await running.api('POST', '/workspaces', { name: '' })).status, 400);
  assert.equal(textAt((await newest('management')).record, 'id'), before);
});
