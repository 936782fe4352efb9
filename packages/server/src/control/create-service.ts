// Owns the making of a service: an application with a principal of its own in one workspace.

import type { serviceCreate } from '@countersign/contract/directory-operations';
import { rolePermissions } from '@countersign/core/access/permissions';
import type { RoleAssignment, Service } from '@countersign/core/directory/objects';
import { demandAccount } from './chosen-account.ts';
import { demandFreeClientId } from './client-id.ts';
import { type Command, changed } from './command.ts';
import { demand, demandAll } from './guard.ts';

/** Makes a service, a member of its workspace. */
export const createService: Command<typeof serviceCreate> = async (view, ctx, { body }) => {
  const { state: workspace } = await view.need('workspace', body.workspaceId);
  demand(ctx.actor, 'principals.write', workspace.id);
  await demandAccount(view, ctx, 'principals.write', workspace.id, body.costCentre);
  demandAll(ctx.actor, rolePermissions.member, workspace.id);
  await demandFreeClientId(view, body.clientId, undefined);
  const id = ctx.newId('service');
  const state: Service = {
    id,
    name: body.name,
    workspaceId: workspace.id,
    status: 'active',
    costCentre: body.costCentre,
    clientId: body.clientId,
  };
  const assignmentId = ctx.newId('roleAssignment');
  const assignment: RoleAssignment = {
    id: assignmentId,
    principalId: id,
    role: 'member',
    workspaceId: workspace.id,
    source: 'direct',
  };
  return {
    response: state,
    changes: [
      changed({ kind: 'service', id, state }),
      changed({ kind: 'roleAssignment', id: assignmentId, state: assignment }),
    ],
    // Without a key of its own nothing of its calls could be committed to or sealed.
    secrets: [{ kind: 'subject', id, profile: null }],
  };
};
