// Owns the look-up of a key that the actor may change: one's own, or with `keys.write` any of the workspace.

import type { Key } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { Stored } from '../stores/objects.ts';
import type { CommandContext } from './command.ts';
import { agentsOf, may } from './guard.ts';
import { isOwn } from './reach.ts';
import type { View } from './view.ts';

/** The key. Throws `not_found` for one that the actor may not even see, else `permission_denied`. */
export async function needKey(view: View, ctx: CommandContext, id: Key['id']): Promise<Stored<'key'>> {
  const key = await view.need('key', id);
  const { principalId, workspaceId } = key.state;
  const agents = agentsOf(ctx.actor);
  if (agents.length > 0 && !agents.includes(principalId))
    throw new AppError('permission_denied', 'an agent may change its own keys only');
  if (may(ctx.actor, 'keys.write', workspaceId) || (await isOwn(view, ctx.actor, principalId))) return key;
  if (may(ctx.actor, 'keys.read', workspaceId))
    throw new AppError('permission_denied', 'you may change your own keys only: ask an administrator');
  throw new AppError('not_found', `there is no key \`${id}\``);
}

/** True for a key that has not ended. */
export function isLive(key: Key, nowMs: number): boolean {
  return key.status === 'active' && (key.expiresAt === undefined || nowMs < key.expiresAt);
}

/** Throws `conflict` for a key that has ended. */
export function demandLive(key: Key, nowMs: number): void {
  if (!isLive(key, nowMs)) throw new AppError('conflict', 'this key has ended: make a new one');
}
