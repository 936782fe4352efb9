// Tests that a sealed secret opens under its own name only, and survives a change of the master key.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { createSealer } from './sealer.ts';

const binding = { orgId: 'org_1', purpose: 'provider-key', objectId: 'prv_1' };
const secret = Buffer.from('a provider key');
const first = { id: 'k1', key: randomBytes(32) };
const second = { id: 'k2', key: randomBytes(32) };

test('a sealed secret opens under its own name and no other', () => {
  const sealer = createSealer([first]);
  const sealed = sealer.seal(secret, binding);
  assert.deepEqual(Buffer.from(sealer.open(sealed, binding)), secret);
  for (const other of [
    { ...binding, orgId: 'org_2' },
    { ...binding, purpose: 'subject-key' },
    { ...binding, objectId: 'prv_2' },
  ]) {
    assert.throws(() => sealer.open(sealed, other), /cannot be opened/);
  }
});

test('a sealed secret with any byte changed does not open', () => {
  const sealer = createSealer([first]);
  const sealed = sealer.seal(secret, binding);
  for (let i = 0; i < sealed.length; i += 1) {
    const altered = Uint8Array.from(sealed, (byte, at) => (at === i ? byte ^ 1 : byte));
    assert.throws(() => sealer.open(altered, binding), `byte ${i}`);
  }
});

test('rotation wraps anew, leaves the body alone, and then needs the old key no more', () => {
  const before = createSealer([first]).seal(secret, binding);
  const both = createSealer([second, first]);
  assert.equal(both.isCurrent(before), false);
  const after = both.rewrap(before, binding);
  assert.equal(both.isCurrent(after), true);
  assert.deepEqual(after.slice(-40), before.slice(-40));
  assert.deepEqual(Buffer.from(createSealer([second]).open(after, binding)), secret);
  assert.throws(() => createSealer([second]).open(before, binding), /`k1` is not configured/);
});

test('a master key of another length than 32 bytes seals nothing, nor does none', () => {
  for (const length of [0, 16, 24, 31, 33, 64])
    assert.throws(() => createSealer([first, { id: 'k3', key: randomBytes(length) }]), /must have 32 bytes/);
  assert.throws(() => createSealer([]), /at least one master key/);
});
