// Owns the claims about privilege: what one may give, take, make and see follows from what one holds.

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
  query,
  type SampleStore,
  textOf,
} from './sample-organization.ts';

const denied = { code: 'permission_denied' };

async function makeWorkspace(store: SampleStore, by: Asker, name: string): Promise<WorkspaceId> {
  const id = await make(store, by, 'workspace.create', { name });
  assert.ok(isId('workspace', id));
  return id;
}

/** An organization with a second workspace, an administrator of it, and a member of the first. */
async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  const second = await makeWorkspace(store, owner, 'second');
  const admin = await makePerson(store, owner, 'admin', 'admin');
  const local = await makePerson(store, owner, 'local', 'admin', second);
  const member = await makePerson(store, owner, 'member', 'member', workspaceId);
  return { store, owner, workspaceId, second, admin, local, member };
}

test('a member makes keys for nobody else (litellm#7336)', async (context) => {
  const { store, owner, admin, member } = await open(context);
  for (const principalId of [owner.principalId, admin.principalId]) {
    const body = { name: 'k', principalId };
    await assert.rejects(command(store, member, 'key.create', { body }), denied);
  }
  const own = await command(store, member, 'key.create', { body: { name: 'k' } });
  assert.match(textOf(own, 'key'), /^csk_/);
  assert.equal(textOf(own, 'principalId'), member.principalId);
});

test('a key reaches no further than who makes it: an administrator makes none for an owner (litellm#8029)', async (context) => {
  const { store, owner, admin, member } = await open(context);
  const forOwner = { name: 'k', principalId: owner.principalId };
  await assert.rejects(command(store, admin, 'key.create', { body: forOwner }), denied);
  const forMember = { name: 'k', principalId: member.principalId };
  assert.match(textOf(await command(store, admin, 'key.create', { body: forMember }), 'key'), /^csk_/);
});

test('a credential of one workspace makes no key for another one in which its person holds more', async (context) => {
  const { store, owner, workspaceId, second, member } = await open(context);
  const body = { principalId: member.principalId, role: 'admin', workspaceId: second };
  await command(store, owner, 'role_assignment.create', { body });
  const wanted = { name: 'k', use: 'management', workspaceId: second };
  await assert.rejects(command(store, { ...member, workspaceId }, 'key.create', { body: wanted }), denied);
  const there = { ...member, workspaceId: second };
  const made = textOf(await command(store, there, 'key.create', { body: wanted }), 'id');
  const asked = { params: { id: made }, body: {} };
  await assert.rejects(command(store, { ...member, workspaceId }, 'key.rotate', asked), denied);
});

test('a rotation shows its secret to nobody who falls short of the key', async (context) => {
  const { store, owner, admin, member } = await open(context);
  const id = await make(store, owner, 'key.create', { name: 'k', use: 'management' });
  await assert.rejects(command(store, admin, 'key.rotate', { params: { id }, body: {} }), denied);
  await assert.rejects(command(store, member, 'key.rotate', { params: { id }, body: {} }), {
    code: 'not_found',
  });
  // Ending a leaked key is less than having it.
  const models = await make(store, owner, 'key.create', { name: 'k' });
  const revoked = await command(store, admin, 'key.revoke', { params: { id: models }, body: {} });
  assert.equal(textOf(revoked, 'status'), 'revoked');
});

test('an agent makes keys for itself alone, so that a record goes on naming it', async (context) => {
  const { store, member, workspaceId } = await open(context);
  const agent = await make(store, member, 'agent.create', { name: 'helper', workspaceId });
  const through = { ...member, agent };
  await assert.rejects(command(store, through, 'key.create', { body: { name: 'k' } }), denied);
  await assert.rejects(
    command(store, through, 'agent.create', { body: { name: 'other', workspaceId } }),
    denied,
  );
  const id = await make(store, member, 'key.create', { name: 'k' });
  await assert.rejects(command(store, through, 'key.rotate', { params: { id }, body: {} }), denied);
  await make(store, through, 'key.create', { name: 'own', principalId: agent });
});

test('a member makes an agent for nobody else', async (context) => {
  const { store, member, admin, workspaceId } = await open(context);
  const body = { name: 'helper', workspaceId, ownerId: admin.principalId };
  await assert.rejects(command(store, member, 'agent.create', { body }), denied);
});

test('nobody makes an agent for a person who is suspended', async (context) => {
  const { store, owner, member, workspaceId } = await open(context);
  const suspend = { params: { id: member.principalId }, body: { status: 'suspended' } };
  await command(store, owner, 'user.update', suspend);
  const body = { name: 'helper', workspaceId, ownerId: member.principalId };
  await assert.rejects(command(store, owner, 'agent.create', { body }), { code: 'conflict' });
});

test('nobody changes an agent that acts for one who holds more, and no agent changes any', async (context) => {
  const { store, owner, local, member, second, workspaceId } = await open(context);
  const agent = await make(store, owner, 'agent.create', { name: 'owners', workspaceId: second });
  await command(store, owner, 'agent.update', { params: { id: agent }, body: { status: 'suspended' } });
  // The administrator of the workspace must not bring back what acts with the owner's authority.
  for (const body of [{ status: 'active' }, { name: 'renamed' }])
    await assert.rejects(command(store, local, 'agent.update', { params: { id: agent }, body }), denied);
  const own = await make(store, member, 'agent.create', { name: 'own', workspaceId });
  const through = { ...member, agent: own };
  const body = { status: 'active' };
  await assert.rejects(command(store, through, 'agent.update', { params: { id: own }, body }), denied);
});

test('a member sees, suspends and brings back their own agents, and no others', async (context) => {
  const { store, owner, member, workspaceId } = await open(context);
  const own = await make(store, member, 'agent.create', { name: 'own', workspaceId });
  const others = await make(store, owner, 'agent.create', { name: 'others', workspaceId });
  for (const status of ['suspended', 'active']) {
    const changed = await command(store, member, 'agent.update', { params: { id: own }, body: { status } });
    assert.equal(textOf(changed, 'status'), status);
  }
  const missing = { code: 'not_found' };
  const asked = { params: { id: others }, body: { status: 'suspended' } };
  await assert.rejects(command(store, member, 'agent.update', asked), missing);
  await assert.rejects(query(store, member, 'agent.get', { params: { id: others } }), missing);
  assert.equal(textOf(await query(store, member, 'agent.get', { params: { id: own } }), 'id'), own);
  const page = await query(store, member, 'agent.list', { query: { limit: 200 } });
  assert.deepEqual(page, { items: [await query(store, member, 'agent.get', { params: { id: own } })] });
});

test('who could not rotate a key does not widen it either', async (context) => {
  const { store, owner, admin, member } = await open(context);
  const id = await make(store, owner, 'key.create', { name: 'k', models: ['sandbox'] });
  const wider = { params: { id }, body: { models: null } };
  await assert.rejects(command(store, admin, 'key.update', wider), denied);
  await command(store, admin, 'key.update', { params: { id }, body: { name: 'renamed' } });
  await command(store, owner, 'key.update', wider);
  const mine = await make(store, member, 'key.create', { name: 'k', models: ['sandbox'] });
  await command(store, member, 'key.update', { params: { id: mine }, body: { models: null } });
});

test('nobody gives a role that carries what they lack', async (context) => {
  const { store, admin, local, member, second, workspaceId } = await open(context);
  const give = (by: Asker, role: string, ws?: WorkspaceId) =>
    command(store, by, 'role_assignment.create', {
      body: { principalId: member.principalId, role, workspaceId: ws },
    });
  await assert.rejects(give(admin, 'owner'), denied);
  await assert.rejects(give(admin, 'owner', workspaceId), denied);
  await assert.rejects(give(local, 'member'), denied);
  await assert.rejects(give(local, 'member', workspaceId), denied);
  await assert.rejects(give(member, 'viewer', workspaceId), denied);
  await give(local, 'admin', second);
});

test('a user does not raise their own role (GHSA-wpfp-gwwc-vwq6)', async (context) => {
  const { store, admin } = await open(context);
  const body = { principalId: admin.principalId, role: 'owner' };
  await assert.rejects(command(store, admin, 'role_assignment.create', { body }), denied);
  const invite = { email: 'second-self@people.example', name: 'me again', role: 'owner' };
  await assert.rejects(command(store, admin, 'user.create', { body: invite }), denied);
});

test('the last owner is neither removed nor suspended nor erased', async (context) => {
  const { store, owner, member } = await open(context);
  const page = await query(store, owner, 'role_assignment.list', { query: { limit: 200 } });
  assert.ok(typeof page === 'object' && page !== null && 'items' in page && Array.isArray(page.items));
  const items: readonly unknown[] = page.items;
  const assignment = items.find((item) => textOf(item, 'role') === 'owner');
  const id = textOf(assignment, 'id');
  const self = { params: { id: owner.principalId } };
  const last = { code: 'conflict', message: /last owner/ };
  await assert.rejects(command(store, owner, 'role_assignment.remove', { params: { id } }), last);
  await assert.rejects(
    command(store, owner, 'user.update', { ...self, body: { status: 'suspended' } }),
    last,
  );
  await assert.rejects(
    command(store, owner, 'user.erase', { ...self, body: { reason: 'asked for by them' } }),
    last,
  );
  const body = { principalId: member.principalId, role: 'owner' };
  await command(store, owner, 'role_assignment.create', { body });
  await command(store, owner, 'role_assignment.remove', { params: { id } });
});

test('a suspended co-owner does not count as another owner', async (context) => {
  const { store, owner } = await open(context);
  const other = await makePerson(store, owner, 'other', 'owner');
  const suspend = (id: string) =>
    command(store, owner, 'user.update', { params: { id }, body: { status: 'suspended' } });
  await suspend(other.principalId);
  await assert.rejects(suspend(owner.principalId), { code: 'conflict' });
});

test('nobody changes a person who holds more than they do', async (context) => {
  const { store, owner, admin } = await open(context);
  const params = { id: owner.principalId };
  for (const body of [{ status: 'suspended' }, { email: 'taken-over@people.example' }])
    await assert.rejects(command(store, admin, 'user.update', { params, body }), denied);
});

test('a workspace administrator changes nothing outside the workspace', async (context) => {
  const { store, owner, local, second, workspaceId } = await open(context);
  const outside: readonly (readonly [string, unknown])[] = [
    ['workspace.create', { name: 'third' }],
    ['team.create', { name: 'team', workspaceId }],
    ['service.create', { name: 'app', workspaceId }],
    ['user.create', { email: 'x@people.example', name: 'x', workspaceId: second }],
    ['provider.create', { name: 'p', kind: 'openai', baseUrl: 'https://api.example.com' }],
    ['classifier.create', { name: 'c', label: 'secret_project', terms: ['heron'] }],
    ['budget.create', { name: 'b', scope: { kind: 'organization' }, period: 'month', limitNanos: 1 }],
    ['rate_limit.create', { name: 'r', scope: { kind: 'workspace', id: workspaceId }, concurrent: 1 }],
  ];
  for (const [operation, body] of outside)
    await assert.rejects(command(store, local, operation, { body }), denied, operation);
  await assert.rejects(command(store, local, 'organization.update', { body: { legalHold: true } }), denied);
  await make(store, local, 'team.create', { name: 'team', workspaceId: second });
  await make(store, local, 'service.create', { name: 'app', workspaceId: second });
  const scope = { kind: 'workspace', id: second };
  await make(store, local, 'budget.create', { name: 'b', scope, period: 'month', limitNanos: 1 });
  const elsewhere = await make(store, owner, 'team.create', { name: 'elsewhere', workspaceId });
  const params = { id: elsewhere };
  await assert.rejects(command(store, local, 'team.remove', { params }), denied);
  await assert.rejects(query(store, local, 'team.get', { params }), { code: 'not_found' });
});

test('a trusted issuer gives no role that who trusts it could not give, neither new nor changed', async (context) => {
  const { store, owner, admin, workspaceId } = await open(context);
  const issuer = {
    name: 'idp',
    issuer: 'https://idp.example.com',
    keys: { kind: 'discovery' },
    workspaceId,
    roleMap: { bosses: 'owner' },
  };
  await assert.rejects(command(store, admin, 'token_issuer.create', { body: issuer }), denied);
  const id = await make(store, owner, 'token_issuer.create', issuer);
  // Other keys behind an old map would make owners of whoever holds them.
  const body = { keys: { kind: 'jwks_uri', url: 'https://elsewhere.example.com/jwks' } };
  await assert.rejects(command(store, admin, 'token_issuer.update', { params: { id }, body }), denied);
  const milder = { roleMap: { bosses: 'member' } };
  await assert.rejects(
    command(store, admin, 'token_issuer.update', { params: { id }, body: milder }),
    denied,
  );
  await command(store, owner, 'token_issuer.update', { params: { id }, body: milder });
});
