// Owns changes of a person: name, address, cost centre, and whether they may act.

import type { userUpdate } from '@countersign/contract/directory-operations';
import type { User } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import type { UserId } from '@countersign/core/ids';
import type { Profile } from '../services/subjects/profile.ts';
import { type Command, changed, type SecretWrite } from './command.ts';
import { difference, patched } from './difference.ts';
import { demand } from './guard.ts';
import { demandNotLastOwner } from './owners.ts';
import { demandWholeReach } from './reach.ts';
import { personalMembers, userViewOf } from './user-view.ts';
import type { View } from './view.ts';

async function checkAddress(view: View, id: UserId, email: string | undefined): Promise<void> {
  if (email === undefined) return;
  const holder = await view.userByEmail(email);
  if (holder !== undefined && holder !== id)
    throw new AppError('already_exists', 'there is a person of this address already: choose another address');
}

function isSame(a: Profile, b: Profile): boolean {
  return a.email === b.email && a.name === b.name;
}

/** Changes what the body names. Nobody changes a person who holds more than they do themselves. */
export const updateUser: Command<typeof userUpdate> = async (view, ctx, { params, body }) => {
  demand(ctx.actor, 'principals.write', 'organization');
  const { state: before } = await view.need('user', params.id);
  if (before.status === 'erased') throw new AppError('conflict', 'this person was erased: make a new one');
  await demandWholeReach(view, ctx, before.id);
  await checkAddress(view, before.id, body.email);
  if (body.status === 'suspended' && before.status !== 'suspended') await demandNotLastOwner(view, before.id);
  const former: Profile = (await view.profileOf(before.id)) ?? {};
  const profile: Profile = {
    ...former,
    ...(body.email === undefined ? {} : { email: body.email }),
    ...(body.name === undefined ? {} : { name: body.name }),
  };
  const state: User = {
    ...before,
    status: body.status ?? before.status,
    costCentre: patched(before.costCentre, body.costCentre),
  };
  const secrets: readonly SecretWrite[] = isSame(former, profile)
    ? []
    : [{ kind: 'subject', id: before.id, profile }];
  return {
    response: userViewOf(state, profile),
    changes: difference(before, changed({ kind: 'user', id: before.id, state })),
    secrets,
    shownOnce: personalMembers,
  };
};
