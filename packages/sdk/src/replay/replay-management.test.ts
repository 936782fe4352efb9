// Tries replay with changes that the log's own key signed and nobody could make: each must be found.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openCedarReader } from './cedar-policy.ts';
import type { DifferenceKind } from './difference.ts';
import { replayLog } from './replay-log.ts';
import {
  changed,
  type Draft,
  ids,
  key,
  managed,
  policy,
  provider,
  role,
  sampleId,
  sha256Hex,
  userActor,
} from './sample-changes.ts';
import { logText, makeLog, sampleHead, sampleVersion } from './sample-log.ts';

const memberKey = sampleId('key', 40);
const localKey = sampleId('key', 41);
const agentManagementKey = sampleId('key', 42);
const local = sampleId('user', 43);
const second = sampleId('user', 44);
const secondKey = sampleId('key', 45);
const other = sampleId('workspace', 46);
const foreignKey = sampleId('key', 49);
const management = { use: 'management' };

/** The sample up to its last call, and then an administrator of the workspace, a second owner, and their keys. */
const before: readonly Draft[] = [
  ...makeLog().entries.slice(0, -1),
  ...[
    ['user.create', [changed('user', { id: local, status: 'active' }), admin(50, local)]],
    ['user.create', [changed('user', { id: second, status: 'active' }), role(51, second, 'owner')]],
    ['key.create', [key(memberKey, ids.alice, management)]],
    ['key.create', [key(localKey, local, management)]],
    ['key.create', [key(secondKey, second, management)]],
    ['key.create', [key(agentManagementKey, ids.agent, management)]],
    ['key.create', [key(foreignKey, second, { ...management, madeBy: ids.owner })]],
    ['workspace.create', [changed('workspace', { id: other, name: 'other', status: 'active' })]],
  ].map(([op, change], i) =>
    managed(60 + i, sampleVersion + i, String(op), Array.isArray(change) ? change : []),
  ),
];
const version = sampleVersion + 8;

function admin(n: number, principalId: string): Draft {
  return role(n, principalId, 'admin', { workspaceId: ids.workspace });
}

const owner = userActor(ids.owner, ['owner'], [], ids.ownerManagementKey);
const member = userActor(ids.alice, ['member'], [ids.team], memberKey);
const localAdmin = userActor(local, ['admin'], [], localKey);
const secondOwner = userActor(second, ['owner'], [], secondKey);
const agent = { ...member, act: [{ id: ids.agent, kind: 'agent' }], cred: agentManagementKey };
const anonymous = { id: 'anonymous', kind: 'anonymous' };
const system = { id: 'system', kind: 'system' };

function done(actor: Draft, op: string, change: readonly Draft[], more: Draft = {}): Draft {
  return managed(90, version, op, change, { actor, ...more });
}

function kindsOf(...entries: readonly Draft[]): readonly DifferenceKind[] {
  const texts = [...before, ...entries].map(logText);
  const result = replayLog({ readPolicy: openCedarReader(), sha256Hex }, sampleHead, texts);
  return [...result.differenceKinds.keys()];
}

const newKey = (principalId: string, more: Draft = {}): Draft => key(sampleId('key', 91), principalId, more);
const makesOwner = (id: string): Draft => role(92, id, 'owner');
const read = { record: String(before[5]?.id), reason: 'a question', op: undefined, change: undefined };
const erased = [changed('user', { id: ids.alice, status: 'erased' }), { ...role(21, '', ''), state: null }];
const asked = done(owner, 'user.erase', [], { id: '018f2f3c-0000-7000-8000-0000000000ab', reason: 'asked' });
function erasure(actor: Draft, approvers: readonly string[], change: readonly Draft[] = erased): Draft {
  const type = { type: 'erasure', op: undefined, subject: ids.alice, reason: 'asked', approvers };
  return done(actor, 'user.erase', change, type);
}

test('what each of them may do is no difference', () => {
  assert.deepEqual(kindsOf(), []);
  assert.deepEqual(kindsOf(done(member, 'key.create', [newKey(ids.alice)])), []);
  assert.deepEqual(kindsOf(done(member, 'key.create', [newKey(ids.agent)])), []);
  assert.deepEqual(kindsOf(done(agent, 'key.create', [newKey(ids.agent)])), []);
  assert.deepEqual(kindsOf(done(localAdmin, 'role_assignment.create', [admin(92, ids.alice)])), []);
  assert.deepEqual(kindsOf(done(localAdmin, 'key.create', [newKey(ids.alice)])), []);
  assert.deepEqual(kindsOf(done(owner, 'role_assignment.create', [makesOwner(ids.alice)])), []);
  assert.deepEqual(kindsOf(done(owner, 'record.content', [], { ...read, type: 'content_read' })), []);
  assert.deepEqual(kindsOf(asked, erasure(secondOwner, [ids.owner, second])), []);
});

const legalHold = changed('organization', {
  id: ids.org,
  slug: 'sample',
  currency: 'USD',
  contentMode: 'commitment',
  contentByLabel: {},
  outputCeiling: 1000,
  defaultPrice: { input: 1, output: 1 },
  minimumRetentionDays: 0,
  legalHold: true,
  networks: [],
});
const agentState = { id: ids.agent, name: 'helper', workspaceId: ids.workspace, status: 'active' };
const text = 'permit (principal, action, resource);';

const forged: readonly (readonly [string, DifferenceKind, readonly Draft[]])[] = [
  [
    'a member who makes themselves owner under the name of another operation',
    'change_differs',
    [done(member, 'key.create', [makesOwner(ids.alice)])],
  ],
  [
    'an operation that there is not, whatever it changes',
    'operation_unknown',
    [done(member, 'nothing.x', [makesOwner(ids.alice)])],
  ],
  [
    'an operation that only reads, as if it had changed something',
    'operation_unknown',
    [done(owner, 'record.list', [makesOwner(ids.alice)])],
  ],
  ['a change by nobody', 'actor_not_live', [done(anonymous, 'key.create', [newKey(ids.alice)])]],
  ['content read by nobody', 'actor_not_live', [done(anonymous, '', [], { ...read, type: 'content_read' })]],
  [
    'content read by the software',
    'actor_differs',
    [done(system, '', [], { ...read, type: 'content_read' })],
  ],
  [
    'content read by who may not',
    'permission_missing',
    [done(localAdmin, '', [], { ...read, type: 'content_read' })],
  ],
  ['a change of people by the software', 'actor_differs', [done(system, 'key.create', [newKey(ids.alice)])]],
  [
    'what only the software does, by a person',
    'operation_unknown',
    [done(owner, 'user.provision', [admin(92, ids.alice)])],
  ],
  [
    'a beginning in the middle',
    'change_differs',
    [done(system, 'organization.init', [makesOwner(ids.alice)])],
  ],
  [
    'a role that the software gives without an issuer',
    'change_differs',
    [done(system, 'user.provision', [makesOwner(ids.alice)])],
  ],
  [
    'a recovered key of who is no owner',
    'change_differs',
    [done(system, 'key.recover', [newKey(ids.alice, { ...management, expiresAt: 1 })])],
  ],
  [
    'a recovered key that lasts',
    'change_differs',
    [done(system, 'key.recover', [newKey(ids.owner, { ...management, expiresAt: Date.UTC(2030, 1) })])],
  ],
  [
    "the organization's settings, by who administers a workspace",
    'permission_missing',
    [done(localAdmin, 'organization.update', [legalHold])],
  ],
  [
    'a policy by who administers a workspace',
    'permission_missing',
    [done(localAdmin, 'policy.publish', [policy(version + 1, text)], { policy_text: text })],
  ],
  [
    'a provider by who administers a workspace',
    'permission_missing',
    [done(localAdmin, 'provider.create', [provider(sampleId('provider', 93), 'mine', true)])],
  ],
  [
    'a role in the organization by who administers a workspace',
    'permission_missing',
    [done(localAdmin, 'role_assignment.create', [makesOwner(local)])],
  ],
  [
    'a role in another workspace',
    'permission_missing',
    [done(localAdmin, 'role_assignment.create', [role(92, local, 'admin', { workspaceId: other })])],
  ],
  [
    'a workspace suspended by who administers it',
    'permission_missing',
    [
      done(localAdmin, 'workspace.update', [
        changed('workspace', { id: ids.workspace, name: 'default', status: 'suspended' }),
      ]),
    ],
  ],
  ['a key for an owner', 'permission_missing', [done(localAdmin, 'key.create', [newKey(ids.owner)])]],
  ["another member's key", 'permission_missing', [done(member, 'key.create', [newKey(local)])]],
  [
    'a key in another workspace',
    'permission_missing',
    [done(member, 'key.create', [newKey(ids.alice, { workspaceId: other })])],
  ],
  ["a person's key by their agent", 'permission_missing', [done(agent, 'key.create', [newKey(ids.alice)])]],
  [
    'a key that is given to somebody else',
    'change_differs',
    [done(member, 'key.update', [key(memberKey, ids.owner, management)])],
  ],
  ['a revoked key that comes back', 'change_differs', [...makeRevoked(), revived()]],
  [
    'an agent that is given to somebody else',
    'change_differs',
    [done(member, 'agent.update', [changed('agent', { ...agentState, ownerId: ids.owner })])],
  ],
  [
    'a role beside a new person that is somebody else’s',
    'change_differs',
    [
      done(owner, 'user.create', [
        changed('user', { id: sampleId('user', 94), status: 'active' }),
        makesOwner(local),
      ]),
    ],
  ],
  ['an erasure that nobody agreed to', 'approvers_differ', [asked, erasure(secondOwner, ['nobody'])]],
  ['an erasure by one', 'approvers_differ', [asked, erasure(owner, [ids.owner])]],
  ['an erasure by one twice', 'approvers_differ', [asked, erasure(owner, [ids.owner, ids.owner])]],
  ['an erasure by one who may not', 'approvers_differ', [asked, erasure(owner, [ids.owner, local])]],
  [
    'an erasure by neither of the two',
    'approvers_differ',
    [asked, erasure(secondOwner, [ids.owner, ids.alice])],
  ],
  [
    'an erasure with a key that somebody else made',
    'approvers_differ',
    [asked, erasure({ ...secondOwner, cred: foreignKey }, [ids.owner, second])],
  ],
  [
    'a key that is said to be made by somebody else',
    'change_differs',
    [done(owner, 'key.create', [newKey(second, { madeBy: second })])],
  ],
  ['an erasure by who may not', 'permission_missing', [asked, erasure(localAdmin, [ids.owner, second])]],
  ['an erasure by nobody', 'actor_not_live', [asked, erasure(anonymous, [ids.owner, second])]],
  [
    "an erasure that takes somebody else's role",
    'change_differs',
    [asked, erasure(secondOwner, [ids.owner, second], [{ ...role(20, '', ''), state: null }])],
  ],
];

function makeRevoked(): readonly Draft[] {
  const revoked = key(memberKey, ids.alice, { ...management, status: 'revoked' });
  return [managed(89, version, 'key.revoke', [revoked], { actor: owner })];
}

function revived(): Draft {
  const id = '018f2f3c-0000-7000-8000-0000000000ac';
  return { ...done(owner, 'key.revoke', [key(memberKey, ids.alice, management)]), id, sv: version + 1 };
}

for (const [what, kind, entries] of forged) {
  test(`${what} is found`, () => {
    const kinds = kindsOf(...entries);
    assert.ok(kinds.includes(kind), `${kind} is not in ${kinds.join(', ') || 'nothing'}`);
  });
}
