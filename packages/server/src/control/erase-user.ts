// Owns the erasure of a person: asked for by one, done by another, refused under hold and within retention.

import type { userErase } from '@countersign/contract/directory-operations';
import { rolePermissions } from '@countersign/core/access/permissions';
import type { Change, User } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { isId, type UserId } from '@countersign/core/ids';
import type { Stored } from '../stores/objects.ts';
import { type Command, type CommandContext, type CommandOutcome, changed } from './command.ts';
import { demand } from './guard.ts';
import { demandNotLastOwner } from './owners.ts';
import type { View } from './view.ts';

const dayMs = 86_400_000;

async function demandNoDuty(view: View, ctx: CommandContext, user: Stored<'user'>): Promise<void> {
  const { state: organization } = await view.need('organization', ctx.orgId);
  if (organization.legalHold) {
    throw new AppError(
      'legal_hold',
      'the organization is under legal hold: nothing may be erased until it ends',
    );
  }
  const newest = Math.max(user.createdAt, (await view.lastTraceOf(user.state.id)) ?? 0);
  const freeAt = newest + organization.minimumRetentionDays * dayMs;
  if (ctx.nowMs < freeAt) {
    throw new AppError(
      'retention_not_met',
      `what is kept of this person must be kept until ${new Date(freeAt).toISOString()}: ask again then`,
    );
  }
}

/** Who asked before, if they could still ask today. */
async function standingRequest(view: View, id: UserId): Promise<UserId | undefined> {
  const requester = (await view.erasureRequest(id))?.requestedBy;
  if (requester === undefined || !isId('user', requester)) return undefined;
  if ((await view.find('user', requester))?.state.status !== 'active') return undefined;
  const roles = await view.listOwned('roleAssignment', requester);
  const isHeld = roles.some(
    ({ state }) => state.workspaceId === undefined && rolePermissions[state.role].has('principals.erase'),
  );
  return isHeld ? requester : undefined;
}

/**
 * INVARIANT: whoever asks or confirms acts with a key whose secret was shown to nobody else. Another who made it may
 * have kept it; so may whoever has the secret of before its rotation, for as long as that works.
 */
async function demandOwnKey(view: View, { actor, nowMs }: CommandContext, person: UserId): Promise<void> {
  const key = actor.keyId === undefined ? undefined : (await view.find('key', actor.keyId))?.state;
  const isOwn = key !== undefined && (key.madeBy === undefined || key.madeBy === person);
  if (!isOwn)
    throw new AppError(
      'second_person_required',
      'somebody else made the key that you use, and may have kept it: rotate it, and use the new one',
    );
  if (key.previous !== undefined && nowMs < key.previous.until)
    throw new AppError(
      'second_person_required',
      'the former secret of the key that you use still works: rotate it with `overlapSeconds` 0',
    );
}

async function keysEnded(view: View, principalId: string): Promise<readonly Change[]> {
  const keys = await view.listOwned('key', principalId);
  return keys.flatMap(({ state }) =>
    state.status === 'revoked'
      ? []
      : [changed({ kind: 'key', id: state.id, state: { ...state, status: 'revoked' } })],
  );
}

/** The evidence of the end: every credential and membership would fail at its next use without it. */
async function cascade(view: View, user: User): Promise<readonly Change[]> {
  const agents = await view.listOwned('agent', user.id);
  const ofAgents: Change[] = [];
  for (const { state } of agents) {
    ofAgents.push(...(await keysEnded(view, state.id)));
    if (state.status === 'active')
      ofAgents.push(changed({ kind: 'agent', id: state.id, state: { ...state, status: 'suspended' } }));
  }
  const roles = await view.listOwned('roleAssignment', user.id);
  const memberships = await view.listOwned('membership', user.id);
  return [
    // The commitment to the issuer's subject goes too: nothing is left that could find the person again.
    changed({ kind: 'user', id: user.id, state: { id: user.id, status: 'erased' } }),
    ...(await keysEnded(view, user.id)),
    ...ofAgents,
    ...roles.map(({ state }) => changed({ kind: 'roleAssignment', id: state.id, state: null })),
    ...memberships.map(({ state }) => changed({ kind: 'membership', id: state.id, state: null })),
  ];
}

/** The entry says who is to be erased and who agrees so far: an erasure is only what a second person confirms. */
function requested(
  user: User,
  reason: string,
  person: UserId,
): CommandOutcome<{ id: UserId; state: 'requested' }> {
  return {
    response: { id: user.id, state: 'requested' },
    changes: [],
    secrets: [{ kind: 'erasure_request', id: user.id, reason }],
    entry: { type: 'management', reason, resource: user.id, approvers: [person] },
  };
}

/** The first call asks, the call of a second person erases. Both are refused under legal hold and within retention. */
export const eraseUser: Command<typeof userErase> = async (view, ctx, { params, body }) => {
  demand(ctx.actor, 'principals.erase', 'organization');
  const { person } = ctx.actor;
  if (person === undefined)
    throw new AppError(
      'second_person_required',
      'an erasure needs two people: a service cannot be one of them',
    );
  const user = await view.need('user', params.id);
  if (user.state.status === 'erased') throw new AppError('conflict', 'this person was erased already');
  await demandNoDuty(view, ctx, user);
  await demandNotLastOwner(view, user.state.id);
  await demandOwnKey(view, ctx, person);
  const requester = await standingRequest(view, user.state.id);
  if (requester === person) {
    throw new AppError(
      'second_person_required',
      'you asked for this erasure yourself: another person who may erase must confirm it',
    );
  }
  if (requester === undefined) return requested(user.state, body.reason, person);
  return {
    response: { id: user.state.id, state: 'erased' },
    changes: await cascade(view, user.state),
    secrets: [{ kind: 'erase_subject', id: user.state.id }],
    entry: {
      type: 'erasure',
      subject: user.state.id,
      reason: body.reason,
      approvers: [requester, person],
    },
  };
};
