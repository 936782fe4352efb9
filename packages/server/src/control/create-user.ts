// Owns the making of a person's account, with the role to begin with.

import type { userCreate } from '@countersign/contract/directory-operations';
import { rolePermissions } from '@countersign/core/access/permissions';
import type { RoleAssignment, User } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { type Command, changed } from './command.ts';
import { demand, demandAll } from './guard.ts';
import { personalMembers, userViewOf } from './user-view.ts';

/** Makes a person. INVARIANT: name and address are sealed, they are in no entry and in no kept answer. */
export const createUser: Command<typeof userCreate> = async (view, ctx, { body }) => {
  demand(ctx.actor, 'principals.write', 'organization');
  if (body.workspaceId !== undefined) await view.need('workspace', body.workspaceId);
  const scope = body.workspaceId ?? 'organization';
  demand(ctx.actor, 'roles.assign', scope);
  demandAll(ctx.actor, rolePermissions[body.role], scope);
  if ((await view.userByEmail(body.email)) !== undefined)
    throw new AppError('already_exists', 'there is a person of this address already: change that one');
  const id = ctx.newId('user');
  const state: User = { id, status: 'active', costCentre: body.costCentre, madeBy: ctx.actor.principalId };
  const profile = { email: body.email, name: body.name };
  const assignmentId = ctx.newId('roleAssignment');
  const assignment: RoleAssignment = {
    id: assignmentId,
    principalId: id,
    role: body.role,
    workspaceId: body.workspaceId,
    source: 'direct',
  };
  return {
    response: userViewOf(state, profile),
    changes: [
      changed({ kind: 'user', id, state }),
      changed({ kind: 'roleAssignment', id: assignmentId, state: assignment }),
    ],
    secrets: [{ kind: 'subject', id, profile }],
    shownOnce: personalMembers,
  };
};
