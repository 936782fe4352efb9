// Owns the claims about trusted issuers and the people whom they vouch for: nobody calls as one who holds more.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type Asker,
  command,
  make,
  makeOrganization,
  makePerson,
  openSampleStore,
  type SampleStore,
} from './sample-organization.ts';

const denied = { code: 'permission_denied' };
const ownKeys = { kind: 'jwks_uri', url: 'https://elsewhere.example.com/jwks' };

/** What the token verifier asks for when Olga comes with a good token of the issuer. */
async function arrive(store: SampleStore, by: Asker, issuerId: string): Promise<string> {
  const person = { issuerId, subject: 'a'.repeat(64), roles: [], teams: [], email: 'olga@people.example' };
  const response = await command(store, by, 'user.provision', { body: { people: [person] } });
  assert.ok(typeof response === 'object' && response !== null && 'ids' in response);
  const { ids } = response;
  assert.ok(Array.isArray(ids) && typeof ids[0] === 'string');
  return ids[0];
}

/** Olga comes by a trusted issuer and is an owner; an administrator is not. */
async function open(context: TestContext) {
  const store = await openSampleStore(context);
  const { owner, workspaceId } = await makeOrganization(store, 'acme');
  const admin = await makePerson(store, owner, 'admin', 'admin');
  const issuer = {
    name: 'corp',
    issuer: 'https://corp.example.com',
    keys: { kind: 'discovery' },
    justInTime: true,
    workspaceId,
  };
  const issuerId = await make(store, admin, 'token_issuer.create', issuer);
  const olga = await arrive(store, owner, issuerId);
  const change = (by: Asker, body: object) =>
    command(store, by, 'token_issuer.update', { params: { id: issuerId }, body });
  return { store, owner, admin, workspaceId, issuer, issuerId, olga, change };
}

test('an administrator puts no keys of their own behind an issuer that vouches for an owner', async (context) => {
  const { store, owner, admin, workspaceId, olga, change } = await open(context);
  await change(admin, { keys: { kind: 'jwks_uri', url: 'https://corp.example.com/jwks' } });
  const second = await make(store, owner, 'workspace.create', { name: 'second' });
  // An owner of one workspace alone holds there what the administrator lacks.
  for (const scope of [{}, { workspaceId: second }]) {
    const body = { principalId: olga, role: 'owner', ...scope };
    const assignment = await make(store, owner, 'role_assignment.create', body);
    const changes: readonly object[] = [
      { keys: ownKeys },
      { algorithms: ['EdDSA'] },
      { claims: { subject: 'preferred_username' } },
      { claims: { subject: 'sub', customer: 'customer' } },
      { requiredClaims: { hd: ['elsewhere.example.com'] } },
      { workspaceId: second },
      { maxTokenAgeSeconds: 1 },
    ];
    for (const one of changes) await assert.rejects(change(admin, one), denied, JSON.stringify(one));
    await change(admin, {
      name: 'renamed',
      keys: { kind: 'jwks_uri', url: 'https://corp.example.com/jwks' },
    });
    await command(store, owner, 'role_assignment.remove', { params: { id: assignment } });
  }
  await change(admin, { keys: ownKeys, workspaceId });
});

test('an administrator suspends an issuer that vouches for an owner and does not bring it back', async (context) => {
  const { store, owner, admin, olga, change } = await open(context);
  await make(store, owner, 'role_assignment.create', { principalId: olga, role: 'owner' });
  await change(admin, { status: 'suspended' });
  await assert.rejects(change(admin, { status: 'active' }), denied);
  await assert.rejects(change(admin, { keys: ownKeys }), denied);
  await change(owner, { status: 'active' });
});

test('an issuer that is removed and trusted anew leads to nobody of before, nor does their address', async (context) => {
  const { store, owner, admin, issuer, issuerId, olga } = await open(context);
  await make(store, owner, 'role_assignment.create', { principalId: olga, role: 'owner' });
  await command(store, admin, 'token_issuer.remove', { params: { id: issuerId } });
  const anew = await make(store, admin, 'token_issuer.create', { ...issuer, keys: ownKeys });
  assert.notEqual(anew, issuerId);
  assert.notEqual(await arrive(store, owner, anew), olga);
  const other = { ...issuer, name: 'other', issuer: 'https://other.example.com', keys: ownKeys };
  assert.notEqual(await arrive(store, owner, await make(store, admin, 'token_issuer.create', other)), olga);
});
