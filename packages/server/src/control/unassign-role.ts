// Owns the taking of a role.

import type { roleAssignmentRemove } from '@countersign/contract/directory-operations';
import { rolePermissions } from '@countersign/core/access/permissions';
import { type Command, changed } from './command.ts';
import { demand, demandAll } from './guard.ts';
import { demandAnotherOwner } from './owners.ts';
import { demandDirect } from './source.ts';

/** Takes a role. Nobody takes what they could not give; the last owner stays. */
export const unassignRole: Command<typeof roleAssignmentRemove> = async (view, ctx, { params }) => {
  const { state } = await view.need('roleAssignment', params.id);
  const scope = state.workspaceId ?? 'organization';
  demand(ctx.actor, 'roles.assign', scope);
  demandAll(ctx.actor, rolePermissions[state.role], scope);
  await demandDirect(view, state.source);
  if (state.role === 'owner' && state.workspaceId === undefined)
    await demandAnotherOwner(view, state.principalId);
  return {
    response: { id: state.id, removed: true },
    changes: [changed({ kind: 'roleAssignment', id: state.id, state: null })],
  };
};
