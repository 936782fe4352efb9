// Owns the making of a team in a workspace.

import type { teamCreate } from '@countersign/contract/directory-operations';
import type { Team } from '@countersign/core/directory/objects';
import { demandAccount } from './chosen-account.ts';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Makes a team in a workspace of this organization. */
export const createTeam: Command<typeof teamCreate> = async (view, ctx, { body }) => {
  const { state: workspace } = await view.need('workspace', body.workspaceId);
  demand(ctx.actor, 'teams.write', workspace.id);
  await demandAccount(view, ctx, 'teams.write', workspace.id, body.costCentre);
  const id = ctx.newId('team');
  const state: Team = { id, workspaceId: workspace.id, name: body.name, costCentre: body.costCentre };
  return { response: state, changes: [changed({ kind: 'team', id, state })] };
};
