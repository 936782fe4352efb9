// Owns how long a key may live whose secret another key is shown: no longer than that one.

import type { Key } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { CommandContext } from './command.ts';
import type { View } from './view.ts';

type Asking = Pick<CommandContext, 'actor'>;

/** When the key ends with which the actor asks, in milliseconds since 1970; undefined: never. */
async function endOfAsker(view: Pick<View, 'find'>, { actor }: Asking): Promise<number | undefined> {
  if (actor.keyId === undefined) return undefined;
  return (await view.find('key', actor.keyId))?.state.expiresAt;
}

/**
 * When a new key ends: as asked, and if nothing is asked with the key that asks. Throws `permission_denied` for a
 * later end, since whoever found a key that ends soon would have one for ever.
 */
export async function endOfNewKey(
  view: Pick<View, 'find'>,
  ctx: Asking,
  asked: number | undefined,
): Promise<number | undefined> {
  const most = await endOfAsker(view, ctx);
  if (most === undefined || asked === undefined) return asked ?? most;
  if (asked <= most) return asked;
  throw new AppError(
    'permission_denied',
    `the key with which you ask ends at ${new Date(most).toISOString()}, and no key that it makes ends later: leave \`expiresInSeconds\` out, or ask with a key that lives longer`,
  );
}

/** Throws `permission_denied` if this key ends later than the one that asks for its new secret. */
export async function demandNoLaterEnd(view: Pick<View, 'find'>, ctx: Asking, key: Key): Promise<void> {
  const most = await endOfAsker(view, ctx);
  if (most === undefined || (key.expiresAt !== undefined && key.expiresAt <= most)) return;
  throw new AppError(
    'permission_denied',
    `this key lives longer than the one with which you ask, which ends at ${new Date(most).toISOString()}: ask with a key that lives as long`,
  );
}
