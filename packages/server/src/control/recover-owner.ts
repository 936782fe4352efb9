// Owns the way back in where no management key of an owner is left: a key that is made without any, beside no server.

import { operation } from '@countersign/contract/operation';
import { idOf } from '@countersign/core/directory/scalars';
import { AppError } from '@countersign/core/errors';
import { isId, type UserId } from '@countersign/core/ids';
import { formatKey } from '@countersign/core/tokens/key-format';
import { z } from 'zod';
import { type Command, type CommandContext, changed } from './command.ts';
import type { View } from './view.ts';

/** Long enough to make lasting keys with it, and to find out what has happened. */
const lastsMs = 24 * 60 * 60 * 1_000;

const why = 'made without a key, while no server ran, by whoever holds the store and its master key';

/**
 * In no contract, and not among the commands of a server: no request can name it. Its permission says only what it
 * does.
 */
export const keyRecover = operation({
  id: 'key.recover',
  method: 'POST',
  path: '',
  summary: 'make a management key for an owner who has none',
  tag: 'keys',
  permission: ['keys.write'],
  runs: 'command',
  audit: 'key.recovered',
  params: z.strictObject({}),
  query: z.strictObject({}),
  /** An owner's id or e-mail address; null where there is one owner. */
  body: z.strictObject({ owner: z.string().nullable() }),
  response: z.object({
    ownerId: idOf('user'),
    keyId: idOf('key'),
    managementKey: z.string(),
    expiresAt: z.number(),
  }),
  status: 200,
  alsoProduces: [],
});

async function activeOwners(view: View): Promise<readonly UserId[]> {
  const owners: UserId[] = [];
  for (const { state } of await view.holdersOf('owner')) {
    if (!isId('user', state.principalId)) continue;
    const user = await view.find('user', state.principalId);
    if (user?.state.status === 'active') owners.push(state.principalId);
  }
  return owners;
}

async function chosenOwner(view: View, asked: string | null): Promise<UserId> {
  const owners = await activeOwners(view);
  const id = asked === null || isId('user', asked) ? asked : await view.userByEmail(asked);
  const found = asked === null && owners.length === 1 ? owners[0] : owners.find((owner) => owner === id);
  if (found !== undefined) return found;
  const what = asked === null ? 'there are several owners' : `\`${asked.slice(0, 254)}\` is no active owner`;
  throw new AppError('invalid_request', `${what}: name one of ${owners.join(', ')}`);
}

async function someWorkspace(view: View) {
  const active = (await view.listAll('workspace')).find(({ state }) => state.status === 'active');
  if (active === undefined) throw new AppError('conflict', 'there is no active workspace for the key');
  return active.state.id;
}

function newKey(ctx: CommandContext) {
  const id = ctx.newId('key');
  return { id, text: formatKey(id, ctx.randomBytes(32)) };
}

/** Makes a management key that lasts a day for an active owner, and shows it once. The entry says how it was made. */
export const recoverOwner: Command<typeof keyRecover> = async (view, ctx, { body }) => {
  const ownerId = await chosenOwner(view, body.owner);
  const workspaceId = await someWorkspace(view);
  const { id, text } = newKey(ctx);
  const expiresAt = ctx.nowMs + lastsMs;
  const key = changed({
    kind: 'key',
    id,
    state: {
      id,
      name: 'recovery key',
      hash: ctx.sha256Hex(text),
      use: 'management',
      principalId: ownerId,
      workspaceId,
      requireUser: false,
      expiresAt,
      status: 'active',
    },
  });
  return {
    response: { ownerId, keyId: id, managementKey: text, expiresAt },
    changes: [key],
    shownOnce: ['managementKey'],
    entry: { type: 'management', reason: why },
  };
};
