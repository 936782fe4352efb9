// Owns the reading of many objects of one kind at once: all of them, or those whose unique key begins or ends so.

import type { ObjectKind } from '@countersign/core/directory/objects';
import type { OrgId } from '@countersign/core/ids';
import { objectsOf, type Stored, storedObject } from './objects.ts';
import type { Store } from './schema.ts';

/** All objects of one kind, oldest first. For kinds of which an organization has hundreds, not for keys. */
export async function listAll<K extends ObjectKind>(
  store: Store,
  orgId: OrgId,
  kind: K,
): Promise<readonly Stored<K>[]> {
  const rows = await objectsOf(store, orgId, kind).orderBy('id').execute();
  return rows.map((row) => storedObject(kind, row));
}

/** The memberships of a team: their unique keys begin with it (see `indexOf`). */
export async function listMembers(
  store: Store,
  orgId: OrgId,
  teamId: string,
): Promise<readonly Stored<'membership'>[]> {
  const rows = await objectsOf(store, orgId, 'membership')
    .where('unique_key', '>=', `${teamId} `)
    // `!` is the character after the space.
    .where('unique_key', '<', `${teamId}!`)
    .orderBy('id')
    .execute();
  return rows.map((row) => storedObject('membership', row));
}

/** The assignments of a role in the whole organization: their unique keys end with it (see `indexOf`). */
export async function listHolders(
  store: Store,
  orgId: OrgId,
  role: string,
): Promise<readonly Stored<'roleAssignment'>[]> {
  return listAssignmentsEnding(store, orgId, ` ${role} *`);
}

/** The assignments of one role, in whatever workspace and in the whole organization. */
export async function listAssignedRole(
  store: Store,
  orgId: OrgId,
  role: string,
): Promise<readonly Stored<'roleAssignment'>[]> {
  const rows = await objectsOf(store, orgId, 'roleAssignment')
    .where('unique_key', 'like', `% ${role} %`)
    .orderBy('id')
    .execute();
  return rows.map((row) => storedObject('roleAssignment', row)).filter(({ state }) => state.role === role);
}

/** The assignments of any role in one workspace. */
export async function listAssignedIn(
  store: Store,
  orgId: OrgId,
  workspaceId: string,
): Promise<readonly Stored<'roleAssignment'>[]> {
  return listAssignmentsEnding(store, orgId, ` ${workspaceId}`);
}

/** `ending` is ours, never a caller's text. A `_` in it matches any character, so the rows are checked again. */
async function listAssignmentsEnding(
  store: Store,
  orgId: OrgId,
  ending: string,
): Promise<readonly Stored<'roleAssignment'>[]> {
  const rows = await objectsOf(store, orgId, 'roleAssignment')
    .select('unique_key')
    .where('unique_key', 'like', `%${ending}`)
    .orderBy('id')
    .execute();
  return rows
    .filter((row) => row.unique_key?.endsWith(ending) === true)
    .map((row) => storedObject('roleAssignment', row));
}
