// Owns the claims about accounts: who is counted, or decided about, does not choose under what.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isId, type WorkspaceId } from '@countersign/core/ids';
import {
  type Asker,
  command,
  make,
  makeOrganization,
  makePerson,
  openSampleStore,
  type SampleStore,
  textOf,
} from './sample-organization.ts';

const denied = { code: 'permission_denied' };

async function makeWorkspace(store: SampleStore, by: Asker): Promise<WorkspaceId> {
  const id = await make(store, by, 'workspace.create', { name: 'second', costCentre: 'cc-200' });
  assert.ok(isId('workspace', id));
  return id;
}

/** A second workspace with an account of its own, its administrator, and one of its members. */
async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  const second = await makeWorkspace(store, owner);
  const local = await makePerson(store, owner, 'local', 'admin', second);
  const member = await makePerson(store, owner, 'member', 'member', second);
  return { store, owner, workspaceId, second, local, member };
}

for (const [member, value] of [
  ['costCentre', 'cc-ceo'],
  ['environment', 'production'],
] as const) {
  test(`a member does not choose the ${member} of a key that they make for themselves`, async (context) => {
    const { store, member: by, local } = await open(context);
    const body = { name: 'k', [member]: value };
    const reason = { ...denied, message: new RegExp(`^\`${member}\` is set by who holds \`keys.write\``) };
    await assert.rejects(command(store, by, 'key.create', { body }), reason);
    await make(store, by, 'key.create', { name: 'k' });
    const theirs = { name: 'k', environment: 'production', costCentre: 'cc-200' };
    const made = await command(store, local, 'key.create', {
      body: { ...theirs, principalId: by.principalId },
    });
    assert.equal(textOf(made, 'costCentre'), 'cc-200');
    assert.equal(textOf(made, 'environment'), 'production');
  });
}

test('a member does not move a key to another cost centre, and a rotation keeps it where it is', async (context) => {
  const { store, owner, member } = await open(context);
  const { principalId, workspaceId } = member;
  const asked = { name: 'k', principalId, workspaceId, costCentre: 'cc-300' };
  const id = await make(store, owner, 'key.create', asked);
  const params = { id };
  for (const costCentre of ['cc-ceo', null])
    await assert.rejects(command(store, member, 'key.update', { params, body: { costCentre } }), denied);
  // What changes nothing is nobody's choice, and the name is their own.
  const body = { costCentre: 'cc-300', name: 'renamed' };
  assert.equal(textOf(await command(store, member, 'key.update', { params, body }), 'name'), 'renamed');
  const rotated = await command(store, member, 'key.rotate', { params, body: {} });
  assert.equal(textOf(rotated, 'costCentre'), 'cc-300');
});

test("an administrator's agent does not choose under what its own key is counted", async (context) => {
  const { store, owner, workspaceId } = await open(context);
  const agent = await make(store, owner, 'agent.create', { name: 'helper', workspaceId });
  const through = { ...owner, agent };
  const body = { name: 'k', principalId: agent, costCentre: 'cc-ceo' };
  await assert.rejects(command(store, through, 'key.create', { body }), denied);
  const id = await make(store, through, 'key.create', { name: 'k', principalId: agent });
  const moved = { params: { id }, body: { costCentre: 'cc-ceo' } };
  await assert.rejects(command(store, through, 'key.update', moved), denied);
  await command(store, owner, 'key.update', moved);
});

test('who administers one workspace chooses among the accounts that it was given', async (context) => {
  const { store, owner, second, local, member } = await open(context);
  const { principalId } = member;
  const workspaceId = second;
  const attempts: readonly (readonly [string, object])[] = [
    ['key.create', { name: 'k', principalId }],
    ['team.create', { name: 'team', workspaceId }],
    ['service.create', { name: 'app', workspaceId }],
  ];
  for (const [operation, body] of attempts) {
    const foreign = { body: { ...body, costCentre: 'cc-ceo' } };
    await assert.rejects(command(store, local, operation, foreign), denied, operation);
    const own = await make(store, local, operation, { ...body, costCentre: 'cc-200' });
    const update = operation.replace('create', 'update');
    const params = { id: own };
    await assert.rejects(
      command(store, local, update, { params, body: { costCentre: 'cc-ceo' } }),
      denied,
      update,
    );
    await command(store, local, update, { params, body: { costCentre: null } });
  }
  const given = { name: 'given', workspaceId, costCentre: 'cc-ceo' };
  await make(store, owner, 'team.create', given);
  // Now a team of the workspace has it, from one who may give it.
  await make(store, local, 'key.create', { name: 'k', costCentre: 'cc-ceo' });
});

test('who administers one workspace moves it to no other account, and does not suspend it', async (context) => {
  const { store, owner, second, local } = await open(context);
  const params = { id: second };
  for (const body of [{ costCentre: 'cc-ceo' }, { costCentre: null }, { status: 'suspended' }])
    await assert.rejects(command(store, local, 'workspace.update', { params, body }), denied);
  await command(store, local, 'workspace.update', { params, body: { name: 'renamed' } });
  await command(store, owner, 'workspace.update', { params, body: { costCentre: 'cc-ceo' } });
});

test("nobody ends an owner's management keys by suspending the workspace that they are in", async (context) => {
  const { store, owner, second, workspaceId } = await open(context);
  const admin = await makePerson(store, owner, 'admin', 'admin');
  const suspend = (by: Asker, id: string) =>
    command(store, by, 'workspace.update', { params: { id }, body: { status: 'suspended' } });
  await assert.rejects(suspend(admin, workspaceId), denied);
  assert.equal(textOf(await suspend(admin, second), 'status'), 'suspended');
});
