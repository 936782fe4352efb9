// Owns the giving of a role, in one workspace or in the whole organization.

import type { roleAssignmentCreate } from '@countersign/contract/directory-operations';
import { rolePermissions } from '@countersign/core/access/permissions';
import type { RoleAssignment } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { isId } from '@countersign/core/ids';
import { demandPrincipal } from './active-principal.ts';
import { type Command, changed } from './command.ts';
import { demand, demandAll } from './guard.ts';

/** Gives a role. INVARIANT: nobody gives a permission that they do not hold there themselves. */
export const assignRole: Command<typeof roleAssignmentCreate> = async (view, ctx, { body }) => {
  const { principalId, role, workspaceId } = body;
  if (workspaceId !== undefined) await view.need('workspace', workspaceId);
  const scope = workspaceId ?? 'organization';
  demand(ctx.actor, 'roles.assign', scope);
  demandAll(ctx.actor, rolePermissions[role], scope);
  if (isId('agent', principalId)) {
    throw new AppError('invalid_request', "an agent has its owner's roles: name the owner");
  }
  await demandPrincipal(view, principalId);
  const twin = await view.findByKey('roleAssignment', `${principalId} ${role} ${workspaceId ?? '*'}`);
  if (twin !== undefined) throw new AppError('already_exists', 'this principal has this role there already');
  const id = ctx.newId('roleAssignment');
  const state: RoleAssignment = { id, principalId, role, workspaceId, source: 'direct' };
  return { response: state, changes: [changed({ kind: 'roleAssignment', id, state })] };
};
