// Claims about a decision's context: what could not be read counts as opaque, and nobody is stronger than they proved.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Classification } from '../classify/classification.ts';
import type { ActorChain } from '../identity/actor.ts';
import { makeId } from '../ids.ts';
import { type ActorContext, contextOf } from './context.ts';

const bytes = (n: number): Uint8Array => new Uint8Array(10).fill(n);
const workspaceId = makeId('workspace', 1, bytes(1));
const userId = makeId('user', 1, bytes(2));
const nowMs = Date.parse('2026-11-29T13:59:59.999Z');

const byKey: ActorChain = {
  ...{ kind: 'user', principalId: userId, person: userId, agents: [], application: undefined, proof: 'key' },
  ...{ keyId: undefined, environment: undefined, narrowedTo: undefined, token: undefined },
  standing: {
    ...{ principalId: userId, workspaceId, teams: [], roles: [], costCentre: undefined },
    ...{ permissions: new Set(), everywhere: new Set() },
  },
};
const own: ActorContext = {
  workspace: { __entity: { type: 'Workspace', id: workspaceId } },
  workspaceName: 'w',
};
const clean: Classification = {
  ...{ labels: [], counts: {}, opaque: false, unexamined: false, detector: 'd' },
};

function contextFor(actor: ActorChain, classification: Classification | undefined = clean) {
  return contextOf(own, {
    ...{ endpoint: 'chat', dialect: 'openai', stream: false, maxOutput: undefined, hostedTools: [] },
    ...{ actor, classification, network: [], inputTokens: 1, claimed: { tags: [] }, nowMs },
  });
}

const signedIn = (amr: readonly string[], authTime?: number): ActorChain => ({
  ...byKey,
  proof: 'idp',
  token: {
    ...{ issuerId: makeId('tokenIssuer', 1, bytes(3)), subject: 's', customer: undefined, expiresAt: 1 },
    ...{ authorizedParty: undefined, amr, authTime },
  },
});

test('text that was left unexamined is opaque to policy, as a part is that nothing reads', () => {
  for (const [opaque, unexamined] of [
    [false, false],
    [true, false],
    [false, true],
  ] as const)
    assert.equal(contextFor(byKey, { ...clean, opaque, unexamined }).opaque, opaque || unexamined);
});

test('a strength is what the methods prove, and a secret alone proves none', () => {
  assert.deepEqual(contextFor(byKey).authentication, { proof: 'key', amr: [], strength: 0 });
  for (const [amr, strength] of [
    [[], 1],
    [['pwd'], 1],
    [['pwd', 'otp'], 2],
    [['swk'], 2],
    [['sms'], 2],
    [['mfa'], 2],
    [['hwk'], 3],
    [['pwd', 'phr'], 3],
    [['phrh'], 3],
  ] as const)
    assert.equal(contextFor(signedIn(amr)).authentication.strength, strength, amr.join());
});

test('a sign-in is as old as it is, not younger than now, and of no age where the issuer does not say', () => {
  const now = Math.floor(nowMs / 1000);
  const age = (authTime?: number) => contextFor(signedIn([], authTime)).authentication.age;
  assert.deepEqual([age(now - 90), age(now + 30), age()], [90, 0, undefined]);
});

test('the time is UTC, with Monday as the first day', () => {
  assert.deepEqual(contextFor(byKey).time, { epoch: Math.floor(nowMs / 1000), hour: 13, weekday: 7 });
});
