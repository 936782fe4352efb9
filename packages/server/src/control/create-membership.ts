// Owns the putting of a principal into a team.

import type { membershipCreate } from '@countersign/contract/directory-operations';
import { type Membership, mostTeams } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { isId } from '@countersign/core/ids';
import { demandPrincipal } from './active-principal.ts';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/**
 * Puts a person or a service into a team. A second membership of the same team is `already_exists`, one more than
 * anybody may have a `conflict`.
 */
export const createMembership: Command<typeof membershipCreate> = async (view, ctx, { body }) => {
  const { state: team } = await view.need('team', body.teamId);
  demand(ctx.actor, 'teams.write', team.workspaceId);
  if (isId('agent', body.principalId)) {
    throw new AppError('invalid_request', "an agent is in its owner's teams: name the owner");
  }
  await demandPrincipal(view, body.principalId);
  const twin = await view.findByKey('membership', `${team.id} ${body.principalId}`);
  if (twin !== undefined) throw new AppError('already_exists', 'this principal is in the team already');
  const held = await view.listOwned('membership', body.principalId);
  if (held.length >= mostTeams) {
    const message = `this principal is in ${held.length} teams and may be in ${mostTeams}: take them out of another team first`;
    throw new AppError('conflict', message);
  }
  const id = ctx.newId('membership');
  const state: Membership = { id, principalId: body.principalId, teamId: team.id, source: 'direct' };
  return { response: state, changes: [changed({ kind: 'membership', id, state })] };
};
