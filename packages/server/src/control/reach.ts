// Owns how far a principal's own authority reaches, and that nobody acts for one who reaches further.

import { lacking } from '@countersign/core/access/authority';
import { rolePermissions, roles } from '@countersign/core/access/permissions';
import type { RoleAssignment } from '@countersign/core/directory/objects';
import { isId, type PrincipalId, type WorkspaceId } from '@countersign/core/ids';
import type { Stored } from '../stores/objects.ts';
import type { CommandContext } from './command.ts';
import { demandAll } from './guard.ts';
import type { View } from './view.ts';

/** The role assignments whose permissions a principal's credentials carry: an agent carries its owner's. */
async function assignmentsOf(
  view: View,
  principalId: PrincipalId,
): Promise<readonly Stored<'roleAssignment'>[]> {
  const bearer = isId('agent', principalId)
    ? (await view.need('agent', principalId)).state.ownerId
    : principalId;
  return view.listOwned('roleAssignment', bearer);
}

/** Refuses unless the actor holds all that this principal's credential could do in this workspace and beyond. */
export async function demandReach(
  view: View,
  ctx: Pick<CommandContext, 'actor'>,
  principalId: PrincipalId,
  workspaceId: WorkspaceId,
): Promise<void> {
  for (const { state } of await assignmentsOf(view, principalId)) {
    if (state.workspaceId !== undefined && state.workspaceId !== workspaceId) continue;
    demandAll(ctx.actor, rolePermissions[state.role], state.workspaceId ?? 'organization');
  }
}

/** Refuses unless the actor holds all that this principal holds anywhere. */
export async function demandWholeReach(
  view: View,
  ctx: Pick<CommandContext, 'actor'>,
  principalId: PrincipalId,
): Promise<void> {
  for (const { state } of await assignmentsOf(view, principalId)) {
    demandAll(ctx.actor, rolePermissions[state.role], state.workspaceId ?? 'organization');
  }
}

/** What principals hold anywhere and the actor could not give there. Cheap for who holds much everywhere. */
export async function heldBeyond(
  view: Pick<View, 'assignedRole'>,
  { authority }: Pick<CommandContext['actor'], 'authority'>,
): Promise<readonly RoleAssignment[]> {
  const beyond: RoleAssignment[] = [];
  for (const role of roles) {
    const wanted = rolePermissions[role];
    if (lacking(authority, wanted, 'organization').length === 0) continue;
    for (const { state } of await view.assignedRole(role))
      if (lacking(authority, wanted, state.workspaceId ?? 'organization').length > 0) beyond.push(state);
  }
  return beyond;
}

/** True for the actor's own principal, and for agents that act for the actor's person. */
export async function isOwn(
  view: Pick<View, 'find'>,
  actor: CommandContext['actor'],
  principalId: PrincipalId,
): Promise<boolean> {
  if (principalId === actor.principalId) return true;
  if (!isId('agent', principalId) || actor.person === undefined) return false;
  const agent = await view.find('agent', principalId);
  return agent?.state.ownerId === actor.person;
}
