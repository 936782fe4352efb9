// Tests that the memory of keys spares work and decides nothing: a key's own life is evaluated at each use.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges, emptyDirectory } from '../directory/directory.ts';
import type { Change } from '../directory/objects.ts';
import { makeId } from '../ids.ts';
import { type KeyMemory, resolveActor } from './resolve.ts';

const bytes = (n: number): Uint8Array => new Uint8Array(10).fill(n);
const orgId = makeId('org', 1, bytes(1));
const workspaceId = makeId('workspace', 1, bytes(2));
const userId = makeId('user', 1, bytes(3));
const keyId = makeId('key', 1, bytes(4));
const hash = 'a'.repeat(64);
const old = 'b'.repeat(64);

function directoryWith() {
  const directory = emptyDirectory(orgId);
  const common = { status: 'active' } as const;
  const changes: readonly Change[] = [
    { kind: 'workspace', id: workspaceId, state: { ...common, id: workspaceId, name: 'w' } },
    { kind: 'user', id: userId, state: { ...common, id: userId } },
    {
      kind: 'key',
      id: keyId,
      state: {
        ...common,
        id: keyId,
        name: 'k',
        principalId: userId,
        workspaceId,
        use: 'models',
        hash,
        requireUser: false,
        expiresAt: 1_000,
        previous: { hash: old, until: 500 },
      },
    },
  ];
  applyChanges(directory, 1, changes);
  return directory;
}

const outcome = (presentedHash: string, nowMs: number, memory?: KeyMemory): string => {
  const credential = { kind: 'key', keyId, presentedHash } as const;
  const found = resolveActor(directory, credential, 'models', nowMs, undefined, memory);
  return found.ok ? found.actor.principalId : found.reason;
};
const directory = directoryWith();

test('a remembered key expires at its time, and the former secret ends with its overlap', () => {
  const memory: KeyMemory = new Map();
  for (const [secret, at, expected] of [
    [hash, 400, userId],
    [old, 400, userId],
    [old, 499, userId],
    [old, 500, 'unknown_key'],
    [hash, 999, userId],
    [hash, 1_000, 'key_expired'],
    ['c'.repeat(64), 400, 'unknown_key'],
    [hash, 400, userId],
  ] as const) {
    assert.equal(outcome(secret, at, memory), expected, `${secret.slice(0, 1)} at ${at}`);
    assert.equal(outcome(secret, at), expected, 'without a memory it is the same');
  }
  assert.equal(memory.size, 1);
});

test('what a models key is remembered as opens no management operation', () => {
  const memory: KeyMemory = new Map();
  assert.equal(outcome(hash, 400, memory), userId);
  const credential = { kind: 'key', keyId, presentedHash: hash } as const;
  const found = resolveActor(directory, credential, 'management', 400, undefined, memory);
  assert.deepEqual(found, { ok: false, reason: 'wrong_use' });
});
