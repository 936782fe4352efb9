// Claims about the built-in roles: what only an Owner may do, and that no other role may change more than its sentence says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isId, makeId } from '../ids.ts';
import { allows, lacking } from './authority.ts';
import { type Permission, permissions, rolePermissions, roles } from './permissions.ts';

const changes = (role: (typeof roles)[number]): readonly Permission[] =>
  [...rolePermissions[role]].filter((permission) => !/\.(read|read_own|check)$/.test(permission)).sort();

test('content and erasure are the Owner’s alone, and everything else an Administrator’s too', () => {
  assert.deepEqual([...rolePermissions.owner].sort(), [...permissions].sort());
  const alone = permissions.filter((permission) => !rolePermissions.admin.has(permission));
  assert.deepEqual([...alone].sort(), ['principals.erase', 'records.content']);
  for (const role of roles)
    if (role !== 'owner') for (const each of alone) assert.ok(!rolePermissions[role].has(each), role);
});

test('who bills changes budgets alone, a member makes keys of their own, who audits or views changes nothing', () => {
  assert.deepEqual(changes('billing_admin'), ['budgets.write', 'keys.create_own', 'models.call']);
  assert.deepEqual(changes('member'), ['keys.create_own', 'models.call']);
  assert.deepEqual([changes('auditor'), changes('viewer')], [[], []]);
});

test('a member and who views see their own records and use alone; all of them are for who audits', () => {
  const all: readonly Permission[] = ['records.read', 'usage.read', 'ledger.read', 'metrics.read'];
  for (const role of ['member', 'viewer'] as const)
    assert.deepEqual(
      all.filter((each) => rolePermissions[role].has(each)),
      [],
      role,
    );
  for (const each of all) assert.ok(rolePermissions.auditor.has(each), each);
  assert.ok(!rolePermissions.billing_admin.has('records.read'));
});

test('a role in one workspace reaches neither another nor the organization', () => {
  const [here, there] = [1, 2].map((n) => makeId('workspace', n, new Uint8Array(10).fill(n)));
  assert.ok(here !== undefined && there !== undefined && isId('workspace', here));
  const authority = {
    workspaceId: here,
    inWorkspace: rolePermissions.admin,
    everywhere: rolePermissions.viewer,
  };
  assert.ok(allows(authority, 'keys.write', here));
  assert.ok(!allows(authority, 'keys.write', there) && !allows(authority, 'keys.write', 'organization'));
  assert.ok(allows(authority, 'teams.read', there) && allows(authority, 'teams.read', 'organization'));
  assert.deepEqual(lacking(authority, ['teams.read', 'keys.write'], there), ['keys.write']);
});
