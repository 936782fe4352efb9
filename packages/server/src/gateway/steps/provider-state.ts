// Owns whose the ids are that a request names at the provider: only what this principal's own calls made.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import type { GatewayDeps } from '../deps.ts';

/**
 * Refuses ids that are unknown or another's with the same `not_found`: one provider key serves everyone, so
 * that without this any caller could continue any other's conversation.
 */
export async function checkProviderState(
  deps: Pick<GatewayDeps, 'ownedObject'>,
  snapshot: OrgSnapshot,
  actor: ActorChain,
  request: InferenceRequest,
): Promise<void> {
  for (const { kind, id } of request.providerState.references) {
    const owned = await deps.ownedObject(snapshot.orgId, actor.principalId, actor.standing.workspaceId, id);
    if (owned !== undefined) continue;
    const what = kind.replaceAll('_', ' ');
    throw new AppError(
      'not_found',
      `${what} \`${id.slice(0, 80)}\` is not one that your calls made: leave it out`,
    );
  }
}
