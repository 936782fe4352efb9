// Claims about whom a credential is: which persons, services and agents it resolves to, and each reason why it is nobody.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges, emptyDirectory } from '../directory/directory.ts';
import type { Change, TokenIssuer } from '../directory/objects.ts';
import { makeId } from '../ids.ts';
import type { Credential, TokenProof } from './actor.ts';
import { resolveActor, standingOf } from './resolve.ts';

const bytes = (n: number): Uint8Array => new Uint8Array(10).fill(n);
const orgId = makeId('org', 1, bytes(1));
const workspaceId = makeId('workspace', 1, bytes(2));
const elsewhere = makeId('workspace', 1, bytes(3));
const userId = makeId('user', 1, bytes(4));
const serviceId = makeId('service', 1, bytes(5));
const agentId = makeId('agent', 1, bytes(6));
const issuerId = makeId('tokenIssuer', 1, bytes(7));
const keyOf = { user: bytes(8), service: bytes(9), agent: bytes(10) } as const;
const hash = 'a'.repeat(64);
const subject = 'b'.repeat(64);
const active = { status: 'active' } as const;

const issuer: TokenIssuer = {
  ...{ ...active, id: issuerId, name: 'i', issuer: 'https://idp.example', audience: 'a', workspaceId },
  keys: { kind: 'discovery' },
  algorithms: ['RS256'],
  ...{ claims: { subject: 'sub' }, requiredClaims: {}, roleMap: {}, teamMap: {} },
  ...{ justInTime: false, maxTokenAgeSeconds: 3600 },
};
const user = { ...active, id: userId, external: { issuerId, subject } } as const;
const service = { ...active, id: serviceId, name: 's', workspaceId, clientId: 'app' } as const;
const agent = { ...active, id: agentId, name: 'g', ownerId: userId, workspaceId } as const;
const workspace = { ...active, id: workspaceId, name: 'w' } as const;

function keyState(who: keyof typeof keyOf) {
  const id = makeId('key', 1, keyOf[who]);
  const principalId = { user: userId, service: serviceId, agent: agentId }[who];
  const use = 'models' as const;
  return { ...active, id, name: who, principalId, workspaceId, use, hash, requireUser: false };
}

const usual: readonly Change[] = [
  { kind: 'workspace', id: workspaceId, state: workspace },
  { kind: 'workspace', id: elsewhere, state: { ...active, id: elsewhere, name: 'e' } },
  { kind: 'user', id: userId, state: user },
  { kind: 'service', id: serviceId, state: service },
  { kind: 'agent', id: agentId, state: agent },
  { kind: 'tokenIssuer', id: issuerId, state: issuer },
  ...(['user', 'service', 'agent'] as const).map((who): Change => {
    const state = keyState(who);
    return { kind: 'key', id: state.id, state };
  }),
];

const expiresAt = 10_000;
const token: TokenProof = {
  ...{ issuerId, subject, authorizedParty: 'app', customer: undefined, amr: [], authTime: undefined },
  expiresAt,
};
const byKey = (who: keyof typeof keyOf): Credential => ({
  kind: 'key',
  keyId: keyState(who).id,
  presentedHash: hash,
});
const byToken: Credential = { kind: 'token', token };
const byBoth = (who: keyof typeof keyOf, over: Partial<TokenProof> = {}): Credential => ({
  kind: 'key_with_token',
  keyId: keyState(who).id,
  presentedHash: hash,
  token: { ...token, ...over },
});

/** Whom a credential is after some changes, by the principal and who acts for it, or why it is nobody. */
function whom(credential: Credential, changes: readonly Change[] = [], nowMs = 1): string {
  const directory = emptyDirectory(orgId);
  applyChanges(directory, 1, [...usual, ...changes]);
  const found = resolveActor(directory, credential, 'models', nowMs);
  if (!found.ok) return found.reason;
  const { principalId, agents, application } = found.actor;
  return [principalId, ...agents, application].filter((part) => part !== undefined).join(' ');
}

const suspended = { status: 'suspended' } as const;
const away = {
  user: { kind: 'user', id: userId, state: { ...user, ...suspended } },
  service: { kind: 'service', id: serviceId, state: { ...service, ...suspended } },
  agent: { kind: 'agent', id: agentId, state: { ...agent, ...suspended } },
  workspace: { kind: 'workspace', id: workspaceId, state: { ...workspace, ...suspended } },
  issuer: { kind: 'tokenIssuer', id: issuerId, state: { ...issuer, ...suspended } },
} satisfies { readonly [name: string]: Change };

test('a credential is the person wherever there is one, with the agent or the application beside', () => {
  assert.equal(whom(byKey('user')), userId);
  assert.equal(whom(byKey('service')), `${serviceId} ${serviceId}`);
  assert.equal(whom(byKey('agent')), `${userId} ${agentId}`);
  assert.equal(whom(byToken), `${userId} ${serviceId}`);
  assert.equal(whom(byBoth('service')), `${userId} ${serviceId}`);
});

test('each that a credential rests on must be active', () => {
  for (const [credential, missing, reason] of [
    [byKey('user'), away.user, 'principal_inactive'],
    [byKey('user'), away.workspace, 'workspace_inactive'],
    [byKey('service'), away.service, 'principal_inactive'],
    [byKey('agent'), away.agent, 'principal_inactive'],
    [byKey('agent'), away.user, 'owner_inactive'],
    [byToken, away.user, 'principal_inactive'],
    [byToken, away.issuer, 'unknown_issuer'],
    [byToken, away.workspace, 'workspace_inactive'],
    [byBoth('service'), away.user, 'principal_inactive'],
    [byBoth('service'), away.issuer, 'unknown_issuer'],
    [byBoth('service'), away.service, 'principal_inactive'],
    [byBoth('service'), away.workspace, 'workspace_inactive'],
  ] as const)
    assert.equal(whom(credential, [missing]), reason, `${credential.kind} without ${missing.kind}`);
});

test('a token beside a key was made for the application whose key it is: none that names no application passes', () => {
  const { clientId: _, ...unnamed } = service;
  const nameless: Change = { kind: 'service', id: serviceId, state: unnamed };
  for (const [credential, changes] of [
    [byBoth('service', { authorizedParty: 'other' }), []],
    [byBoth('service', { authorizedParty: undefined }), []],
    [byBoth('service'), [nameless]],
    [byBoth('service', { authorizedParty: undefined }), [nameless]],
  ] as const)
    assert.equal(whom(credential, changes), 'application_mismatch');
  for (const who of ['user', 'agent'] as const)
    assert.equal(whom(byBoth(who)), 'not_an_application_key', who);
});

test('a key that requires a person is nobody alone', () => {
  const state = { ...keyState('service'), requireUser: true };
  const strict: Change = { kind: 'key', id: state.id, state };
  assert.equal(whom(byKey('service'), [strict]), 'key_needs_user');
  assert.equal(whom(byBoth('service'), [strict]), `${userId} ${serviceId}`);
});

test('a token ends a minute after its time, to the millisecond', () => {
  const end = (expiresAt + 60) * 1000;
  assert.equal(whom(byToken, [], end - 1), `${userId} ${serviceId}`);
  assert.equal(whom(byToken, [], end), 'token_expired');
});

test('a subject is its own issuer’s, and no longer anybody’s once its person has another', () => {
  const other = makeId('tokenIssuer', 1, bytes(11));
  const moved: Change = {
    kind: 'user',
    id: userId,
    state: { ...user, external: { issuerId, subject: 'c'.repeat(64) } },
  };
  assert.equal(whom(byToken, [moved]), 'unknown_subject');
  assert.equal(whom({ kind: 'token', token: { ...token, issuerId: other } }), 'unknown_issuer');
});

test('roles and teams of another workspace are no part of a standing, roles of the organization are', () => {
  const directory = emptyDirectory(orgId);
  const teams = [workspaceId, elsewhere].map((each, n) => ({
    ...{ id: makeId('team', 1, bytes(20 + n)), workspaceId: each, name: `t${n}`, costCentre: `cc${n}` },
  }));
  const source = 'direct' as const;
  applyChanges(directory, 1, [
    ...usual,
    ...teams.map((state): Change => ({ kind: 'team', id: state.id, state })),
    ...teams.map((team, n): Change => {
      const id = makeId('membership', 1, bytes(20 + n));
      return { kind: 'membership', id, state: { id, principalId: userId, teamId: team.id, source } };
    }),
    ...([workspaceId, elsewhere, undefined] as const).map((where, n): Change => {
      const id = makeId('roleAssignment', 1, bytes(20 + n));
      const role = (['member', 'admin', 'viewer'] as const)[n] ?? 'owner';
      const of = where === undefined ? {} : { workspaceId: where };
      return { kind: 'roleAssignment', id, state: { id, principalId: userId, role, source, ...of } };
    }),
  ]);
  const {
    teams: own,
    roles,
    permissions,
    everywhere,
    costCentre,
  } = standingOf(directory, userId, workspaceId);
  assert.deepEqual([own, roles, costCentre], [[teams[0]?.id], ['member', 'viewer'], 'cc0']);
  assert.ok(permissions.has('models.call') && !permissions.has('keys.write'));
  assert.ok(everywhere.has('teams.read') && !everywhere.has('models.call'));
});
