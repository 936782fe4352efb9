// Owns changes of an agent: its name, and whether it may act.

import type { agentUpdate } from '@countersign/contract/directory-operations';
import type { Agent } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { type Command, changed } from './command.ts';
import { difference } from './difference.ts';
import { demand, may } from './guard.ts';
import { demandWholeReach, isOwn } from './reach.ts';

/**
 * Changes what the body names: of one's own agent, or with `principals.write` of another's, as long as nobody
 * changes what acts for one who holds more. A suspended agent's keys fail at their next use.
 */
export const updateAgent: Command<typeof agentUpdate> = async (view, ctx, { params, body }) => {
  const { state: before } = await view.need('agent', params.id);
  if (await isOwn(view, ctx.actor, before.id)) demand(ctx.actor, 'keys.create_own', before.workspaceId);
  else if (may(ctx.actor, 'principals.write', before.workspaceId))
    await demandWholeReach(view, ctx, before.id);
  else if (may(ctx.actor, 'principals.read', before.workspaceId))
    throw new AppError('permission_denied', 'you may change your own agents only: ask an administrator');
  else throw new AppError('not_found', `there is no agent \`${before.id}\``);
  const state: Agent = {
    ...before,
    name: body.name ?? before.name,
    status: body.status ?? before.status,
  };
  const changes = difference(before, changed({ kind: 'agent', id: before.id, state }));
  return { response: state, changes };
};
