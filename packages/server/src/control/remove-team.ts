// Owns the end of a team, and with it of every membership of it.

import type { teamRemove } from '@countersign/contract/directory-operations';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Removes a team and its memberships in one change. */
export const removeTeam: Command<typeof teamRemove> = async (view, ctx, { params }) => {
  const { state: team } = await view.need('team', params.id);
  demand(ctx.actor, 'teams.write', team.workspaceId);
  const members = await view.membersOf(team.id);
  return {
    response: { id: team.id, removed: true },
    changes: [
      ...members.map(({ state }) => changed({ kind: 'membership', id: state.id, state: null })),
      changed({ kind: 'team', id: team.id, state: null }),
    ],
  };
};
