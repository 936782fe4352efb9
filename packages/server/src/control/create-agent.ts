// Owns the making of an agent: a program that acts for one person in one workspace.

import type { agentCreate } from '@countersign/contract/directory-operations';
import type { Agent } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { type Command, changed } from './command.ts';
import { demand, may } from './guard.ts';

/** Makes an agent that acts for oneself, or with `principals.write` for another person. */
export const createAgent: Command<typeof agentCreate> = async (view, ctx, { body }) => {
  const { state: workspace } = await view.need('workspace', body.workspaceId);
  const ownerId = body.ownerId ?? ctx.actor.person;
  if (ownerId === undefined)
    throw new AppError('invalid_request', 'an agent acts for a person: name one as `ownerId`');
  if (!may(ctx.actor, 'principals.write', workspace.id)) {
    demand(ctx.actor, 'keys.create_own', workspace.id);
    if (ownerId !== ctx.actor.person)
      throw new AppError('permission_denied', 'you may make agents for yourself only: leave `ownerId` out');
  }
  const { state: owner } = await view.need('user', ownerId);
  if (owner.status !== 'active')
    throw new AppError('conflict', 'this person is not active: name another one as `ownerId`');
  const id = ctx.newId('agent');
  const state: Agent = { id, name: body.name, ownerId, workspaceId: workspace.id, status: 'active' };
  return { response: state, changes: [changed({ kind: 'agent', id, state })] };
};
