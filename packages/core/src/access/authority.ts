// Owns the rules of administrative authority: what one may do where, and that nobody gives what they lack.

import type { WorkspaceId } from '../ids.ts';
import type { Permission } from './permissions.ts';

/** What an actor may do: in the workspace of their credential, and everywhere in the organization. */
export type Authority = {
  readonly workspaceId: WorkspaceId;
  readonly inWorkspace: ReadonlySet<Permission>;
  readonly everywhere: ReadonlySet<Permission>;
};

/** Of what an act is: of the whole organization, or of one workspace. */
export type Scope = WorkspaceId | 'organization';

/** True when the permission is held for this scope: a role in one workspace reaches nothing outside it. */
export function allows(authority: Authority, permission: Permission, scope: Scope): boolean {
  if (authority.everywhere.has(permission)) return true;
  return scope === authority.workspaceId && authority.inWorkspace.has(permission);
}

/** The permissions that an actor lacks of those asked for, in this scope. Empty: nothing is escalated. */
export function lacking(
  authority: Authority,
  wanted: Iterable<Permission>,
  scope: Scope,
): readonly Permission[] {
  return [...wanted].filter((permission) => !allows(authority, permission, scope));
}
