// Owns changes of a workspace: its name, cost centre and whether calls may be made in it.

import type { workspaceUpdate } from '@countersign/contract/directory-operations';
import type { Workspace } from '@countersign/core/directory/objects';
import { type Command, changed } from './command.ts';
import { difference, patched } from './difference.ts';
import { demand } from './guard.ts';

/** Changes what the body names. A suspended workspace's keys fail at their next use. */
export const updateWorkspace: Command<typeof workspaceUpdate> = async (view, ctx, { params, body }) => {
  const { state: before } = await view.need('workspace', params.id);
  demand(ctx.actor, 'workspaces.write', before.id);
  const state: Workspace = {
    ...before,
    name: body.name ?? before.name,
    costCentre: patched(before.costCentre, body.costCentre),
    status: body.status ?? before.status,
  };
  const changes = difference(before, changed({ kind: 'workspace', id: before.id, state }));
  return { response: state, changes };
};
