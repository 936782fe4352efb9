// Owns the look-up of a principal that something is to be given to.

import { AppError } from '@countersign/core/errors';
import { isId, type PrincipalId } from '@countersign/core/ids';
import type { View } from './view.ts';

/** Throws `not_found` for an unknown principal and `conflict` for an erased one. */
export async function demandPrincipal(view: View, id: PrincipalId): Promise<void> {
  if (isId('service', id)) await view.need('service', id);
  else if (isId('agent', id)) await view.need('agent', id);
  else if (isId('user', id)) {
    const { state } = await view.need('user', id);
    if (state.status === 'erased') throw new AppError('conflict', 'this person was erased: name another one');
  }
}
