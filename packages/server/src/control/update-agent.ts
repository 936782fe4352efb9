// Owns changes of an agent: its name, and whether it may act.

import type { agentUpdate } from '@countersign/contract/directory-operations';
import type { Agent } from '@countersign/core/directory/objects';
import { type Command, changed } from './command.ts';
import { difference } from './difference.ts';
import { demand } from './guard.ts';

/** Changes what the body names. A suspended agent's keys fail at their next use. */
export const updateAgent: Command<typeof agentUpdate> = async (view, ctx, { params, body }) => {
  const { state: before } = await view.need('agent', params.id);
  demand(ctx.actor, 'principals.write', before.workspaceId);
  const state: Agent = {
    ...before,
    name: body.name ?? before.name,
    status: body.status ?? before.status,
  };
  const changes = difference(before, changed({ kind: 'agent', id: before.id, state }));
  return { response: state, changes };
};
