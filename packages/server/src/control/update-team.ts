// Owns changes of a team: its name and cost centre.

import type { teamUpdate } from '@countersign/contract/directory-operations';
import type { Team } from '@countersign/core/directory/objects';
import { demandAccount } from './chosen-account.ts';
import { type Command, changed } from './command.ts';
import { difference, patched } from './difference.ts';
import { demand } from './guard.ts';

/** Changes what the body names. */
export const updateTeam: Command<typeof teamUpdate> = async (view, ctx, { params, body }) => {
  const { state: before } = await view.need('team', params.id);
  demand(ctx.actor, 'teams.write', before.workspaceId);
  await demandAccount(view, ctx, 'teams.write', before.workspaceId, body.costCentre);
  const state: Team = {
    ...before,
    name: body.name ?? before.name,
    costCentre: patched(before.costCentre, body.costCentre),
  };
  const changes = difference(before, changed({ kind: 'team', id: before.id, state }));
  return { response: state, changes };
};
