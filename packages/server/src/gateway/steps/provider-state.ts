// Owns whose the ids are that a request names at the provider: only what this principal's own calls made.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import type { InboundCall } from '../call.ts';
import type { GatewayDeps } from '../deps.ts';
import type { OwnedTarget } from './select-model.ts';

function foreign(kind: string, id: string): AppError {
  return new AppError(
    'not_found',
    `${kind} \`${id.slice(0, 80)}\` is not one that your calls made: leave it out`,
  );
}

/** True when a call names something that the provider keeps. */
export function namesState(call: InboundCall, request: InferenceRequest): boolean {
  return request.providerState.references.length > 0 || call.endpoint.id === 'response_object';
}

/**
 * Refuses ids that are unknown or another's with the same `not_found`: one provider key serves everyone, so
 * that without this any caller could continue any other's conversation. Answers what the path itself names.
 */
export async function checkProviderState(
  deps: Pick<GatewayDeps, 'ownedObject'>,
  snapshot: OrgSnapshot,
  actor: ActorChain,
  call: InboundCall,
  request: InferenceRequest,
): Promise<OwnedTarget | undefined> {
  const owner = (id: string) =>
    deps.ownedObject(snapshot.orgId, actor.principalId, actor.standing.workspaceId, id);
  for (const { kind, id } of request.providerState.references) {
    if ((await owner(id)) === undefined) throw foreign(kind.replaceAll('_', ' '), id);
  }
  const { id, objectId } = call.endpoint;
  if (id !== 'response_object' || objectId === undefined) return undefined;
  const owned = await owner(objectId);
  if (owned === undefined) throw foreign('response', objectId);
  return owned;
}
