// Owns the choice of what calls are counted and decided under: never by who is counted.

import type { Permission } from '@countersign/core/access/permissions';
import { AppError } from '@countersign/core/errors';
import type { WorkspaceId } from '@countersign/core/ids';
import type { CommandContext } from './command.ts';
import { administersKeys, demand, may } from './guard.ts';
import type { View } from './view.ts';

/** Throws `permission_denied` unless the actor administers the keys of the workspace: one's own key is no exception. */
export function demandKeyTerms(
  ctx: Pick<CommandContext, 'actor'>,
  workspaceId: WorkspaceId,
  member: 'costCentre' | 'environment' | 'requireUser',
): void {
  if (administersKeys(ctx.actor, workspaceId)) return;
  throw new AppError(
    'permission_denied',
    `\`${member}\` is set by who holds \`keys.write\` in workspace \`${workspaceId}\`, not by who calls: leave it out, or ask an administrator`,
  );
}

/**
 * A cost centre is an account of the whole organization. Who holds the permission there chooses any; who holds it in
 * one workspace chooses among those that the workspace and its teams have, or clears it to theirs.
 */
export async function demandAccount(
  view: Pick<View, 'find' | 'listOwned'>,
  ctx: Pick<CommandContext, 'actor'>,
  permission: Permission,
  workspaceId: WorkspaceId,
  costCentre: string | null | undefined,
): Promise<void> {
  if (costCentre === undefined || may(ctx.actor, permission, 'organization')) return;
  demand(ctx.actor, permission, workspaceId);
  if (costCentre === null) return;
  if ((await view.find('workspace', workspaceId))?.state.costCentre === costCentre) return;
  const teams = await view.listOwned('team', workspaceId);
  if (teams.some(({ state }) => state.costCentre === costCentre)) return;
  throw new AppError(
    'permission_denied',
    `no cost centre \`${costCentre}\` was given to workspace \`${workspaceId}\`: choose one of it or of its teams, or ask an administrator of the organization`,
  );
}
