// Owns changes of a workspace: its name, cost centre and whether calls may be made in it.

import type { workspaceUpdate } from '@countersign/contract/directory-operations';
import type { Workspace } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { type Command, type CommandContext, changed } from './command.ts';
import { difference, patched } from './difference.ts';
import { demand } from './guard.ts';
import { heldBeyond } from './reach.ts';
import type { View } from './view.ts';

/**
 * Refuses to end, by ending their workspace, the management keys of people who hold what the actor lacks: one by one
 * they could not be revoked either.
 */
async function demandNoKeysBeyond(view: View, ctx: CommandContext, workspace: Workspace): Promise<void> {
  for (const { principalId } of await heldBeyond(view, ctx.actor)) {
    const keys = await view.listOwned('key', principalId);
    const isHit = keys.some(
      ({ state }) =>
        state.workspaceId === workspace.id && state.use === 'management' && state.status === 'active',
    );
    if (!isHit) continue;
    throw new AppError(
      'permission_denied',
      'this would end a management key of someone who holds more than you: ask them to do it',
    );
  }
}

/**
 * Changes what the body names. A suspended workspace's keys fail at their next use. Whether it may act and which
 * account it is counted under is the organization's: its own administrators change neither.
 */
export const updateWorkspace: Command<typeof workspaceUpdate> = async (view, ctx, { params, body }) => {
  const { state: before } = await view.need('workspace', params.id);
  demand(ctx.actor, 'workspaces.write', before.id);
  const state: Workspace = {
    ...before,
    name: body.name ?? before.name,
    costCentre: patched(before.costCentre, body.costCentre),
    status: body.status ?? before.status,
  };
  if (state.costCentre !== before.costCentre || state.status !== before.status)
    demand(ctx.actor, 'workspaces.write', 'organization');
  if (before.status === 'active' && state.status !== 'active') await demandNoKeysBeyond(view, ctx, before);
  const changes = difference(before, changed({ kind: 'workspace', id: before.id, state }));
  return { response: state, changes };
};
