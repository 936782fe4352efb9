// Owns the making of a virtual key: for oneself, or for another whom one does not fall short of.

import type { keyCreate } from '@countersign/contract/access-operations';
import type { Key } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { isId, type PrincipalId, type WorkspaceId } from '@countersign/core/ids';
import { formatKey } from '@countersign/core/tokens/key-format';
import { demandPrincipal } from './active-principal.ts';
import { demandAccount, demandKeyTerms } from './chosen-account.ts';
import { type Command, type CommandContext, changed } from './command.ts';
import { agentsOf, demand, may } from './guard.ts';
import { endOfNewKey } from './key-end.ts';
import { demandModels } from './key-models.ts';
import { keyViewOf } from './key-view.ts';
import { isLive } from './needed-key.ts';
import { demandReach, isOwn } from './reach.ts';
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

/** INVARIANT: nobody makes a key that reaches further than the credential with which they make it. */
async function demandKeyRight(
  view: View,
  ctx: CommandContext,
  principalId: PrincipalId,
  workspaceId: WorkspaceId,
): Promise<void> {
  const agents = agentsOf(ctx.actor);
  if (agents.length > 0 && !agents.includes(principalId)) {
    throw new AppError(
      'permission_denied',
      'an agent may make keys for itself only: name it as `principalId`',
    );
  }
  if (!may(ctx.actor, 'keys.write', workspaceId)) {
    if (!(await isOwn(view, ctx.actor, principalId)))
      throw new AppError('permission_denied', 'you may make keys for yourself only: leave `principalId` out');
    demand(ctx.actor, 'keys.create_own', workspaceId);
  }
  await demandReach(view, ctx, principalId, workspaceId);
}

/** A service that was given keys which work beside a person's token alone does not make itself one that works without. */
async function demandPerson(
  view: View,
  ctx: CommandContext,
  principalId: PrincipalId,
  workspaceId: WorkspaceId,
  { requireUser, use }: Pick<Key, 'requireUser' | 'use'>,
): Promise<void> {
  if (!isId('service', principalId)) {
    if (!requireUser) return;
    throw new AppError('invalid_request', '`requireUser` is for keys of services: leave it out');
  }
  if (requireUser || use !== 'models') return;
  const keys = (await view.listOwned('key', principalId)).filter(({ state }) => state.use === 'models');
  // Ended ones that required a person count too: a service may end its own keys.
  const isFree = keys.some(({ state }) => !state.requireUser && isLive(state, ctx.nowMs));
  if (!isFree && keys.some(({ state }) => state.requireUser)) demandKeyTerms(ctx, workspaceId, 'requireUser');
}

/** Makes a key and shows it once. */
export const createKey: Command<typeof keyCreate> = async (view, ctx, { body }) => {
  const principalId = body.principalId ?? ctx.actor.principalId;
  await demandPrincipal(view, principalId);
  const workspaceId = await chooseWorkspace(view, ctx, principalId, body.workspaceId);
  await demandKeyRight(view, ctx, principalId, workspaceId);
  if (body.environment !== undefined) demandKeyTerms(ctx, workspaceId, 'environment');
  if (body.costCentre !== undefined) demandKeyTerms(ctx, workspaceId, 'costCentre');
  await demandAccount(view, ctx, 'keys.write', workspaceId, body.costCentre);
  await demandPerson(view, ctx, principalId, workspaceId, body);
  await demandModels(view, body.use, body.models);
  const asked = body.expiresInSeconds === undefined ? undefined : ctx.nowMs + body.expiresInSeconds * 1000;
  const expiresAt = await endOfNewKey(view, ctx, workspaceId, asked);
  const id = ctx.newId('key');
  const text = formatKey(id, ctx.randomBytes(32));
  const state: Key = {
    id,
    name: body.name,
    hash: ctx.sha256Hex(text),
    use: body.use,
    principalId,
    workspaceId,
    models: body.models,
    environment: body.environment,
    costCentre: body.costCentre,
    requireUser: body.requireUser,
    expiresAt,
    status: 'active',
    madeBy: ctx.actor.principalId,
  };
  return {
    response: { ...keyViewOf(state, ctx.nowMs, undefined), key: text },
    changes: [changed({ kind: 'key', id, state })],
    shownOnce: ['key'],
  };
};
