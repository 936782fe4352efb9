// Owns who may do what at a place in the log: of which workspace an object is, and how far a principal reaches.

import { type Authority, allows, lacking, type Scope } from '@countersign/core/access/authority';
import { type Permission, type Role, rolePermissions } from '@countersign/core/access/permissions';
import type { Directory } from '@countersign/core/directory/directory';
import type { Budget, Change, RoleAssignment } from '@countersign/core/directory/objects';
import type { ActorChain } from '@countersign/core/identity/actor';
import { isId, type PrincipalId, type WorkspaceId } from '@countersign/core/ids';

/** A change's maker at its place: the directory is the one before the change. */
export type Maker = { readonly directory: Directory; readonly chain: ActorChain };

function authorityOf({ chain }: Maker): Authority {
  const { workspaceId, permissions, everywhere } = chain.standing;
  return { workspaceId, inWorkspace: permissions, everywhere };
}

/** True when the maker holds the permission for this scope. */
export function may(maker: Maker, permission: Permission, scope: Scope): boolean {
  return allows(authorityOf(maker), permission, scope);
}

/** True when the maker could give this role there. */
export function mayGive(maker: Maker, role: Role, scope: Scope): boolean {
  return lacking(authorityOf(maker), rolePermissions[role], scope).length === 0;
}

/** True for the maker's own principal, and for agents that act for the maker's person. */
export function isOwn({ directory, chain }: Maker, principalId: PrincipalId): boolean {
  if (principalId === chain.principalId) return true;
  if (!isId('agent', principalId) || chain.person === undefined) return false;
  return directory.tables.agent.get(principalId)?.ownerId === chain.person;
}

/** The roles whose permissions a principal's credentials carry: an agent carries its owner's. */
export function rolesOf(directory: Directory, principalId: PrincipalId): readonly RoleAssignment[] {
  const bearer = isId('agent', principalId) ? directory.tables.agent.get(principalId)?.ownerId : principalId;
  return bearer === undefined ? [] : [...(directory.byPrincipal.roles.get(bearer)?.values() ?? [])];
}

/** The first role of this principal that the maker could not give; of those that count in `within`, if given. */
export function roleBeyond(
  maker: Maker,
  principalId: PrincipalId,
  within?: WorkspaceId,
): RoleAssignment | undefined {
  return rolesOf(maker.directory, principalId).find(
    ({ role, workspaceId }) =>
      (within === undefined || workspaceId === undefined || workspaceId === within) &&
      !mayGive(maker, role, workspaceId ?? 'organization'),
  );
}

/** Who holds anywhere what the maker could not give there. */
export function holdersBeyond(maker: Maker): ReadonlySet<PrincipalId> {
  const held = [...maker.directory.tables.roleAssignment.values()];
  const beyond = held.filter(({ role, workspaceId }) => !mayGive(maker, role, workspaceId ?? 'organization'));
  return new Set(beyond.map(({ principalId }) => principalId));
}

function meterScope({ tables }: Directory, scope: Budget['scope']): Scope {
  switch (scope.kind) {
    case 'workspace':
      return scope.id;
    case 'team':
      return tables.team.get(scope.id)?.workspaceId ?? 'organization';
    case 'key':
      return tables.key.get(scope.id)?.workspaceId ?? 'organization';
    case 'person': {
      const owned = tables.service.get(scope.id) ?? tables.agent.get(scope.id);
      return owned?.workspaceId ?? 'organization';
    }
    default:
      return 'organization';
  }
}

type Placed = { readonly workspaceId?: WorkspaceId | undefined };

function workspacesOf(...states: readonly (Placed | null | undefined)[]): readonly Scope[] {
  return states.flatMap((state) => (state ? [state.workspaceId ?? 'organization'] : []));
}

/** Of what the object is, before the change and after it: of one workspace, or of the whole organization. */
export function scopesOf(directory: Directory, change: Change): readonly Scope[] {
  const { tables } = directory;
  switch (change.kind) {
    case 'team':
      return workspacesOf(tables.team.get(change.id), change.state);
    case 'service':
      return workspacesOf(tables.service.get(change.id), change.state);
    case 'agent':
      return workspacesOf(tables.agent.get(change.id), change.state);
    case 'key':
      return workspacesOf(tables.key.get(change.id), change.state);
    case 'roleAssignment':
      return workspacesOf(tables.roleAssignment.get(change.id), change.state);
    case 'membership': {
      const teamId = (change.state ?? tables.membership.get(change.id))?.teamId ?? '';
      return workspacesOf({ workspaceId: tables.team.get(teamId)?.workspaceId });
    }
    case 'budget':
    case 'rateLimit': {
      const before = tables[change.kind].get(change.id);
      return [before, change.state].flatMap((meter) => (meter ? [meterScope(directory, meter.scope)] : []));
    }
    case 'workspace': {
      // Whether it may act, and what it is counted under, is the organization's.
      const before = tables.workspace.get(change.id);
      const { state } = change;
      const isInside = before?.status === state?.status && before?.costCentre === state?.costCentre;
      return before !== undefined && isInside ? [before.id] : ['organization'];
    }
    default:
      return ['organization'];
  }
}
