// Owns the claims about people: sealed profiles, unique addresses, and erasure by two.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { readEntries } from '../services/ledger/read-tiles.ts';
import { readHead } from '../stores/heads.ts';
import { listByOwner } from '../stores/objects.ts';
import { recordCall } from './sample-calls.ts';
import {
  type Asker,
  command,
  make,
  makeOrganization,
  makePerson,
  openSampleStore,
  query,
  type SampleStore,
  textOf,
} from './sample-organization.ts';
import { twoOwners, withOwnKey } from './sample-owners.ts';

const reason = { reason: 'they asked for it in writing' };

async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  return { store, owner, workspaceId };
}

/** Everything that the organization's log says, as text. */
async function logText(store: SampleStore, { orgId }: Asker): Promise<readonly string[]> {
  const head = await readHead(store.db, orgId);
  const entries = await readEntries(store.db, orgId, 0, head?.size ?? 0);
  return entries.map((entry) => Buffer.from(entry).toString('utf8'));
}

test("a person's name and address stand in no entry and in no kept answer", async (context) => {
  const { store, owner } = await open(context);
  const body = { email: 'canary-7c1@people.example', name: 'Canary Sevencone' };
  const made = await command(store, owner, 'user.create', { body, idempotencyKey: 'once' });
  assert.equal(textOf(made, 'email'), body.email);
  const replayed = await command(store, owner, 'user.create', { body, idempotencyKey: 'once' });
  assert.equal(textOf(replayed, 'id'), textOf(made, 'id'));
  const kept = await store.db.selectFrom('idempotency').select('response').execute();
  const said = [...(await logText(store, owner)), ...kept.map(({ response }) => response)].join('\n');
  assert.equal(/canary-7c1|sevencone/i.test(said), false);
});

test('an address belongs to one person, whatever its case', async (context) => {
  const { store, owner } = await open(context);
  const taken = { code: 'already_exists' };
  await makePerson(store, owner, 'alice', 'member');
  const bob = await makePerson(store, owner, 'bob', 'member');
  const body = { email: 'ALICE@people.example', name: 'again' };
  await assert.rejects(command(store, owner, 'user.create', { body }), taken);
  const params = { id: bob.principalId };
  await assert.rejects(command(store, owner, 'user.update', { params, body: { email: body.email } }), taken);
});

test('a change of name alone makes no version and an entry; a change of nothing makes neither version nor state', async (context) => {
  const { store, owner } = await open(context);
  const alice = await makePerson(store, owner, 'alice', 'member');
  const params = { id: alice.principalId };
  const before = await readHead(store.db, owner.orgId);
  const renamed = await command(store, owner, 'user.update', { params, body: { name: 'Alice B.' } });
  assert.equal(textOf(renamed, 'name'), 'Alice B.');
  assert.equal(textOf(renamed, 'email'), 'alice@people.example');
  await command(store, owner, 'user.update', { params, body: { status: 'active' } });
  const after = await readHead(store.db, owner.orgId);
  assert.equal(after?.version, before?.version);
  assert.equal(after?.size, (before?.size ?? 0) + 2);
});

test('null clears an optional field, and the recorded state has no trace of it', async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const params = { id: workspaceId };
  await command(store, owner, 'workspace.update', { params, body: { costCentre: 'cc-1' } });
  const cleared = await command(store, owner, 'workspace.update', { params, body: { costCentre: null } });
  assert.equal(JSON.stringify(cleared).includes('costCentre'), false);
  assert.match(
    (await logText(store, owner)).at(-1) ?? '',
    /"state":\{"id":"ws_[a-z0-9]+","name":"default","status":"active"\}/,
  );
});

test('one person asks for an erasure, another one does it; then nothing sealed can be read', async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const { first, second } = await twoOwners(store, owner);
  const leaver = await makePerson(store, owner, 'leaver', 'member', workspaceId);
  const key = await make(store, leaver, 'key.create', { name: 'k' });
  const agent = await make(store, leaver, 'agent.create', { name: 'helper', workspaceId });
  const agentKey = await make(store, leaver, 'key.create', { name: 'a', principalId: agent });
  const params = { id: leaver.principalId };
  const erase = (by: Asker) => command(store, by, 'user.erase', { params, body: reason });
  assert.equal(textOf(await erase(first), 'state'), 'requested');
  await assert.rejects(erase(first), { code: 'second_person_required' });
  assert.equal(textOf(await query(store, owner, 'user.get', { params }), 'name'), 'leaver');
  assert.equal(textOf(await erase(second), 'state'), 'erased');
  const gone = await query(store, owner, 'user.get', { params });
  assert.deepEqual(gone, { id: leaver.principalId, status: 'erased' });
  for (const id of [key, agentKey])
    assert.equal(textOf(await query(store, owner, 'key.get', { params: { id } }), 'status'), 'revoked');
  const helper = await query(store, owner, 'agent.get', { params: { id: agent } });
  assert.equal(textOf(helper, 'status'), 'suspended');
  const entry = (await logText(store, owner)).at(-1) ?? '';
  assert.match(entry, /"type":"erasure"/);
  assert.ok(entry.includes(`"approvers":["${owner.principalId}","${second.principalId}"]`));
  await assert.rejects(erase(second), { code: 'conflict' });
});

test('an erasure is refused under legal hold and below the minimum retention', async (context) => {
  const { store, owner } = await open(context);
  const leaver = await makePerson(store, owner, 'leaver', 'member');
  const asking = await withOwnKey(store, owner);
  const params = { id: leaver.principalId };
  const erase = () => command(store, asking, 'user.erase', { params, body: reason });
  await command(store, owner, 'organization.update', { body: { legalHold: true } });
  await assert.rejects(erase(), { code: 'legal_hold' });
  const duty = { legalHold: false, minimumRetentionDays: 30 };
  await command(store, owner, 'organization.update', { body: duty });
  await assert.rejects(erase(), { code: 'retention_not_met' });
  store.clock.nowMs += 31 * 86_400_000;
  assert.equal(textOf(await erase(), 'state'), 'requested');
});

test("retention counts from a person's newest record, not from their account", async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const leaver = await makePerson(store, owner, 'leaver', 'member', workspaceId);
  await command(store, owner, 'organization.update', { body: { minimumRetentionDays: 30 } });
  store.clock.nowMs += 31 * 86_400_000;
  await make(store, leaver, 'key.create', { name: 'k' });
  const params = { id: leaver.principalId };
  await assert.rejects(command(store, owner, 'user.erase', { params, body: reason }), {
    code: 'retention_not_met',
  });
});

test('a request counts only while who made it could still make it', async (context) => {
  const { store, owner } = await open(context);
  const { first, second } = await twoOwners(store, owner);
  const leaver = await makePerson(store, owner, 'leaver', 'member');
  const params = { id: leaver.principalId };
  const erase = (by: Asker) => command(store, by, 'user.erase', { params, body: reason });
  assert.equal(textOf(await erase(second), 'state'), 'requested');
  const suspend = { params: { id: second.principalId }, body: { status: 'suspended' } };
  await command(store, owner, 'user.update', suspend);
  assert.equal(textOf(await erase(first), 'state'), 'requested');
  await assert.rejects(erase(first), { code: 'second_person_required' });
});

test('a request of one who is an owner of a workspace alone by now does not count', async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const { first, second } = await twoOwners(store, owner);
  const leaver = await makePerson(store, owner, 'leaver', 'member');
  const erase = (by: Asker) =>
    command(store, by, 'user.erase', { params: { id: leaver.principalId }, body: reason });
  assert.equal(textOf(await erase(second), 'state'), 'requested');
  const { principalId } = second;
  await make(store, owner, 'role_assignment.create', { principalId, role: 'owner', workspaceId });
  const rows = await listByOwner(store.db, owner.orgId, 'roleAssignment', principalId);
  for (const { state } of rows)
    if (state.workspaceId === undefined)
      await command(store, owner, 'role_assignment.remove', { params: { id: state.id } });
  assert.equal(textOf(await erase(first), 'state'), 'requested');
});

test('a record says why its person has no name, to whoever may see names', async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const { first, second } = await twoOwners(store, owner);
  const leaver = await makePerson(store, owner, 'leaver', 'member', workspaceId);
  await recordCall(store, leaver, {});
  const asked = { type: 'model_call', actor: leaver.principalId };
  const listed: unknown = await query(store, owner, 'record.list', { query: asked });
  const [id = ''] = /"id":"([^"]+)"/.exec(JSON.stringify(listed))?.slice(1) ?? [];
  const seen = async () => Object(await query(store, owner, 'record.get', { params: { id } }));
  assert.deepEqual([(await seen()).actor.name, (await seen()).noName], ['leaver', undefined]);
  const params = { id: leaver.principalId };
  for (const by of [first, second]) await command(store, by, 'user.erase', { params, body: reason });
  assert.deepEqual([(await seen()).actor.name, (await seen()).noName], [undefined, 'erased']);
});

test('a key that another was shown is not the person: rotated by them it is, when the former secret has ended', async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const { first, second } = await twoOwners(store, owner);
  const leaver = await makePerson(store, owner, 'leaver', 'member');
  const question = { params: { id: leaver.principalId }, body: reason };
  const body = { name: 'given', use: 'management', principalId: second.principalId, workspaceId };
  const keyId = await make(store, owner, 'key.create', body);
  assert.ok(isId('key', keyId));
  const given = { ...second, keyId };
  const isRefused = { code: 'second_person_required', message: /rotate it/ };
  await assert.rejects(command(store, given, 'user.erase', question), isRefused);
  await command(store, first, 'user.erase', question);
  await assert.rejects(command(store, given, 'user.erase', question), isRefused);
  const rotate = (by: Asker, overlapSeconds: number) =>
    command(store, by, 'key.rotate', { params: { id: keyId }, body: { overlapSeconds } });
  await rotate(given, 60);
  await assert.rejects(command(store, given, 'user.erase', question), isRefused);
  await rotate(first, 0);
  await assert.rejects(command(store, given, 'user.erase', question), isRefused);
  await rotate(given, 60);
  store.clock.nowMs += 60_000;
  assert.equal(textOf(await command(store, given, 'user.erase', question), 'state'), 'erased');
});
