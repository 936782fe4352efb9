// Owns the taking of a principal out of a team.

import type { membershipRemove } from '@countersign/contract/directory-operations';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';
import { demandDirect } from './source.ts';

/** Ends a membership that was given here; one that a token issuer gave is changed there. */
export const removeMembership: Command<typeof membershipRemove> = async (view, ctx, { params }) => {
  const { state } = await view.need('membership', params.id);
  const team = await view.find('team', state.teamId);
  demand(ctx.actor, 'teams.write', team?.state.workspaceId ?? 'organization');
  await demandDirect(view, state.source);
  return {
    response: { id: state.id, removed: true },
    changes: [changed({ kind: 'membership', id: state.id, state: null })],
  };
};
