// Owns the making of a workspace.

import type { workspaceCreate } from '@countersign/contract/directory-operations';
import type { Workspace } from '@countersign/core/directory/objects';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Makes a workspace: an act of the whole organization. */
export const createWorkspace: Command<typeof workspaceCreate> = async (_view, ctx, { body }) => {
  demand(ctx.actor, 'workspaces.write', 'organization');
  const id = ctx.newId('workspace');
  const state: Workspace = { id, name: body.name, costCentre: body.costCentre, status: 'active' };
  return { response: state, changes: [changed({ kind: 'workspace', id, state })] };
};
