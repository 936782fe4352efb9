// Owns the rule that an organization always has an active person as its owner.

import { AppError } from '@countersign/core/errors';
import { isId, type PrincipalId } from '@countersign/core/ids';
import type { View } from './view.ts';

/** Throws `conflict` unless an active person other than `principalId` owns the whole organization. */
export async function demandAnotherOwner(view: View, principalId: PrincipalId): Promise<void> {
  for (const { state } of await view.holdersOf('owner')) {
    if (state.principalId === principalId || !isId('user', state.principalId)) continue;
    const user = await view.find('user', state.principalId);
    if (user?.state.status === 'active') return;
  }
  throw new AppError('conflict', 'this is the last owner: make another person owner first');
}

/** Like `demandAnotherOwner`, for a principal that may not be an owner at all. */
export async function demandNotLastOwner(view: View, principalId: PrincipalId): Promise<void> {
  const assignments = await view.listOwned('roleAssignment', principalId);
  if (assignments.some(({ state }) => state.role === 'owner' && state.workspaceId === undefined))
    await demandAnotherOwner(view, principalId);
}
