// Owns how long a key may live whose secret another key is shown: no longer than that one, unless it administers keys.

import type { Key } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { WorkspaceId } from '@countersign/core/ids';
import type { CommandContext } from './command.ts';
import { administersKeys } from './guard.ts';
import type { View } from './view.ts';

type Asking = Pick<CommandContext, 'actor'>;

/**
 * The latest end of what the actor may be shown in a workspace, in milliseconds since 1970; undefined: none. It is that
 * of the key with which they ask. INVARIANT: whoever administers keys is not bound by it, or an organization whose keys
 * all have an end, as they should, could not make the next ones.
 */
async function latestEnd(
  view: Pick<View, 'find'>,
  { actor }: Asking,
  workspaceId: WorkspaceId,
): Promise<number | undefined> {
  if (actor.keyId === undefined || administersKeys(actor, workspaceId)) return undefined;
  return (await view.find('key', actor.keyId))?.state.expiresAt;
}

/**
 * When a new key ends: as asked, and if nothing is asked at the latest end. Throws `permission_denied` for a later one,
 * since whoever found a key that ends soon would have one for ever.
 */
export async function endOfNewKey(
  view: Pick<View, 'find'>,
  ctx: Asking,
  workspaceId: WorkspaceId,
  asked: number | undefined,
): Promise<number | undefined> {
  const most = await latestEnd(view, ctx, workspaceId);
  if (most === undefined || asked === undefined) return asked ?? most;
  if (asked <= most) return asked;
  throw new AppError(
    'permission_denied',
    `the key with which you ask ends at ${new Date(most).toISOString()}, and no key that it makes ends later: leave \`expiresInSeconds\` out, ask with a key that lives longer, or ask an administrator`,
  );
}

/** Throws `permission_denied` if this key ends later than the actor may be shown a new secret of it. */
export async function demandNoLaterEnd(view: Pick<View, 'find'>, ctx: Asking, key: Key): Promise<void> {
  const most = await latestEnd(view, ctx, key.workspaceId);
  if (most === undefined || (key.expiresAt !== undefined && key.expiresAt <= most)) return;
  throw new AppError(
    'permission_denied',
    `this key lives longer than the one with which you ask, which ends at ${new Date(most).toISOString()}: ask with a key that lives as long, or ask an administrator`,
  );
}
