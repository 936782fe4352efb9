// Owns changes of a service: name, cost centre, client id, and whether it may act.

import type { serviceUpdate } from '@countersign/contract/directory-operations';
import type { Service } from '@countersign/core/directory/objects';
import { demandAccount } from './chosen-account.ts';
import { demandFreeClientId } from './client-id.ts';
import { type Command, changed } from './command.ts';
import { difference, patched } from './difference.ts';
import { demand } from './guard.ts';
import { demandWholeReach } from './reach.ts';

/** Changes what the body names. Nobody changes a service that holds more than they do themselves. */
export const updateService: Command<typeof serviceUpdate> = async (view, ctx, { params, body }) => {
  const { state: before } = await view.need('service', params.id);
  demand(ctx.actor, 'principals.write', before.workspaceId);
  await demandAccount(view, ctx, 'principals.write', before.workspaceId, body.costCentre);
  await demandWholeReach(view, ctx, before.id);
  await demandFreeClientId(view, body.clientId, before.id);
  const state: Service = {
    ...before,
    name: body.name ?? before.name,
    status: body.status ?? before.status,
    costCentre: patched(before.costCentre, body.costCentre),
    clientId: patched(before.clientId, body.clientId),
  };
  const changes = difference(before, changed({ kind: 'service', id: before.id, state }));
  // One that was made before services had keys of their own gets it here.
  return { response: state, changes, secrets: [{ kind: 'subject', id: before.id, profile: null }] };
};
