// Owns the rule that one application answers to a client id.

import { AppError } from '@countersign/core/errors';
import type { ServiceId } from '@countersign/core/ids';
import type { View } from './view.ts';

/** Throws `already_exists` if a service other than `own` has this client id. */
export async function demandFreeClientId(
  view: View,
  clientId: string | null | undefined,
  own: ServiceId | undefined,
): Promise<void> {
  if (clientId === undefined || clientId === null) return;
  const services = await view.listAll('service');
  const holder = services.find(({ state }) => state.clientId === clientId && state.id !== own);
  if (holder === undefined) return;
  throw new AppError(
    'already_exists',
    `service \`${holder.state.name}\` has this client id: take it from there first`,
  );
}
