// Claims about the directory: it goes forward alone, names lead to what bears them now, and policy sees what is there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActorChain } from '../identity/actor.ts';
import { standingOf } from '../identity/resolve.ts';
import { makeId } from '../ids.ts';
import { applyChanges, type Directory, emptyDirectory } from './directory.ts';
import { modelEntity, principalEntity } from './entities.ts';
import type { Change, Model, Provider, RoleAssignment } from './objects.ts';

const bytes = (n: number): Uint8Array => new Uint8Array(10).fill(n);
const orgId = makeId('org', 1, bytes(1));
const here = makeId('workspace', 1, bytes(2));
const there = makeId('workspace', 1, bytes(3));
const userId = makeId('user', 1, bytes(4));
const providerId = makeId('provider', 1, bytes(5));
const modelId = makeId('model', 1, bytes(6));
const active = { status: 'active' } as const;

const provider: Provider = {
  ...{ ...active, id: providerId, name: 'p', kind: 'sandbox', external: false, retryStatuses: [] },
  timeouts: { connectMs: 100, firstByteMs: 100, idleMs: 100 },
};
const model: Model = {
  ...{ ...active, id: modelId, name: 'm', aliases: ['a', 'b'], providerId, upstreamName: 'u' },
};
const workspaces = [here, there].map((id, n): Change => {
  return { kind: 'workspace', id, state: { ...active, id, name: `w${n}` } };
});
const withModel = (state: Model | null): Change => ({ kind: 'model', id: modelId, state });
const withRole = (n: number, over: Partial<RoleAssignment> = {}): Change => {
  const id = makeId('roleAssignment', 1, bytes(n));
  const state: RoleAssignment = { id, principalId: userId, role: 'member', source: 'direct', ...over };
  return { kind: 'roleAssignment', id, state };
};

function directoryOf(...changes: readonly Change[]): Directory {
  const directory = emptyDirectory(orgId);
  applyChanges(directory, 1, [...workspaces, ...changes]);
  return directory;
}

const actorIn = (directory: Directory, workspaceId: typeof here): ActorChain => ({
  ...{ kind: 'user', principalId: userId, person: userId, agents: [], application: undefined, proof: 'key' },
  ...{ keyId: undefined, environment: undefined, narrowedTo: undefined, token: undefined },
  standing: standingOf(directory, userId, workspaceId),
});

test('a version is installed once, and none before it afterwards', () => {
  const directory = directoryOf();
  for (const version of [1, 0]) {
    assert.throws(() => applyChanges(directory, version, [withModel(model)]), { code: 'internal' });
    assert.equal(directory.modelsByName.size, 0);
  }
  applyChanges(directory, 2, [withModel(model)]);
  assert.deepEqual([directory.at.version, directory.modelsByName.size], [2, 3]);
});

test('a name that was given up leads to nothing, and one that was taken leads to the new state', () => {
  const directory = directoryOf(withModel(model));
  const renamed = { ...model, name: 'n', aliases: ['b'] };
  applyChanges(directory, 2, [withModel(renamed)]);
  assert.deepEqual(
    ['m', 'a', 'b', 'n'].map((name) => directory.modelsByName.get(name)),
    [undefined, undefined, renamed, renamed],
  );
  applyChanges(directory, 3, [withModel(null)]);
  assert.equal(directory.modelsByName.size, 0);
});

test('a role that was taken away is held no longer, and others of the same person stay', () => {
  const directory = directoryOf(withRole(1), withRole(2, { role: 'admin' }));
  assert.deepEqual(standingOf(directory, userId, here).roles, ['admin', 'member']);
  applyChanges(directory, 2, [{ ...withRole(2), kind: 'roleAssignment', state: null }]);
  assert.deepEqual(standingOf(directory, userId, here).roles, ['member']);
});

test('policy finds a person below a workspace only where they hold a role', () => {
  const directory = directoryOf(withRole(1, { workspaceId: here }));
  const isBelow = (where: typeof here) =>
    principalEntity(directory, actorIn(directory, where)).ancestors.has(`Workspace::"${where}"`);
  assert.deepEqual([isBelow(here), isBelow(there)], [true, false]);
});

test('policy finds a model below the workspaces that may use it: below all where none is named', () => {
  const directory = directoryOf();
  const above = (workspaceIds: Model['workspaceIds']) => {
    const { ancestors } = modelEntity(directory, { ...model, workspaceIds }, provider);
    return [here, there].map((id) => ancestors.has(`Workspace::"${id}"`));
  };
  assert.deepEqual(
    [above(undefined), above([there]), above([])],
    [
      [true, true],
      [false, true],
      [false, false],
    ],
  );
});
