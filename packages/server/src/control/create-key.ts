// Owns the making of a virtual key: for oneself, or for another whom one does not fall short of.

import type { keyCreate } from '@countersign/contract/access-operations';
import { allows, lacking } from '@countersign/core/access/authority';
import { type Permission, rolePermissions } from '@countersign/core/access/permissions';
import type { Key } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { isId, type PrincipalId, type WorkspaceId } from '@countersign/core/ids';
import { formatKey } from '@countersign/core/tokens/key-format';
import { type Command, type CommandContext, changed } from './command.ts';
import { keyViewOf } from './key-view.ts';
import type { View } from './view.ts';

async function workspacesOf(view: View, principalId: PrincipalId): Promise<readonly WorkspaceId[]> {
  if (isId('service', principalId)) return [(await view.need('service', principalId)).state.workspaceId];
  if (isId('agent', principalId)) return [(await view.need('agent', principalId)).state.workspaceId];
  const assignments = await view.listOwned('roleAssignment', principalId);
  return [
    ...new Set(
      assignments.flatMap(({ state }) => (state.workspaceId === undefined ? [] : [state.workspaceId])),
    ),
  ];
}

async function chooseWorkspace(
  view: View,
  ctx: CommandContext,
  principalId: PrincipalId,
  asked: WorkspaceId | undefined,
): Promise<WorkspaceId> {
  if (asked !== undefined) return (await view.need('workspace', asked)).state.id;
  const own = await workspacesOf(view, principalId);
  const [only, ...others] = own;
  if (only !== undefined && others.length === 0) return only;
  if (only === undefined) return ctx.actor.authority.workspaceId;
  throw new AppError('invalid_request', 'the principal is in several workspaces: name one as `workspaceId`');
}

/** The person whose authority a principal's key would carry, and the permissions it would reach. */
async function reachOf(
  view: View,
  principalId: PrincipalId,
  workspaceId: WorkspaceId,
): Promise<Set<Permission>> {
  const bearer = isId('agent', principalId)
    ? (await view.need('agent', principalId)).state.ownerId
    : principalId;
  const reach = new Set<Permission>();
  for (const { state } of await view.listOwned('roleAssignment', bearer)) {
    if (state.workspaceId !== undefined && state.workspaceId !== workspaceId) continue;
    for (const permission of rolePermissions[state.role]) reach.add(permission);
  }
  return reach;
}

async function isOwn(view: View, ctx: CommandContext, principalId: PrincipalId): Promise<boolean> {
  if (principalId === ctx.actor.principalId) return true;
  if (!isId('agent', principalId)) return false;
  const agent = await view.find('agent', principalId);
  return agent?.state.ownerId === ctx.actor.person;
}

/** Makes a key and shows it once. INVARIANT: nobody makes a key that reaches further than they do themselves. */
export const createKey: Command<typeof keyCreate> = async (view, ctx, { body }) => {
  const principalId = body.principalId ?? ctx.actor.principalId;
  if (isId('user', principalId)) await view.need('user', principalId);
  const workspaceId = await chooseWorkspace(view, ctx, principalId, body.workspaceId);
  if (!(await isOwn(view, ctx, principalId))) {
    if (!allows(ctx.actor.authority, 'keys.write', workspaceId)) {
      throw new AppError('permission_denied', 'you may make keys for yourself only: leave `principalId` out');
    }
    const missing = lacking(ctx.actor.authority, await reachOf(view, principalId, workspaceId), workspaceId);
    if (missing.length > 0) {
      const what = missing.join(', ');
      throw new AppError(
        'permission_denied',
        `this key would carry what you lack: ${what}; ask someone who has it`,
      );
    }
  }
  if (body.requireUser && !isId('service', principalId)) {
    throw new AppError('invalid_request', '`requireUser` is for keys of services: leave it out');
  }
  const id = ctx.newId('key');
  const text = formatKey(id, ctx.randomBytes(32));
  const state: Key = {
    id,
    name: body.name,
    hash: ctx.sha256Hex(text),
    use: body.use,
    principalId,
    workspaceId,
    requireUser: body.requireUser,
    status: 'active',
    ...(body.models === undefined ? {} : { models: body.models }),
    ...(body.environment === undefined ? {} : { environment: body.environment }),
    ...(body.costCentre === undefined ? {} : { costCentre: body.costCentre }),
    ...(body.expiresInSeconds === undefined ? {} : { expiresAt: ctx.nowMs + body.expiresInSeconds * 1000 }),
  };
  return {
    response: { ...keyViewOf(state, ctx.nowMs, undefined), key: text },
    changes: [changed({ kind: 'key', id, state })],
    shownOnce: ['key'],
  };
};
