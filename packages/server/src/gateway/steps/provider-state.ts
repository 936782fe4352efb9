// Owns whose the ids are that a request names at the provider: only what this principal's own calls made.

import { keptByPath, keptInQuery } from '@countersign/core/dialects/kept-at-provider';
import type { InferenceRequest, StateReference } from '@countersign/core/dialects/request-types';
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
  const { id } = call.endpoint;
  return request.providerState.references.length > 0 || id === 'response_object' || id === 'passthrough';
}

/** What the path itself names at the provider, or the refusal of an id that is not the caller's. */
export type CheckedState = {
  readonly owned: OwnedTarget | undefined;
  readonly foreign: AppError | undefined;
};

/** The state of a call that names nothing. */
export const nothingNamed: CheckedState = { owned: undefined, foreign: undefined };

/** What an endpoint that is passed through names in its path and its query, or the refusal of asking for all at once. */
function namedByPath({ endpoint, method, query }: InboundCall): readonly StateReference[] | AppError {
  const kept = keptByPath(method, endpoint.providerPath);
  if (kept.kind === 'all') {
    const message = `what ${endpoint.provider ?? 'the provider'} keeps is everyone's together and cannot be listed: ask for one that your calls made, by its id`;
    return new AppError('not_found', message);
  }
  const queried = query === '' ? [] : keptInQuery(new Map(new URLSearchParams(query)));
  return kept.kind === 'one' ? [kept.reference, ...queried] : queried;
}

/** An endpoint that is passed through: all ids are held to the provider that the path pins, too. */
async function checkPassedThrough(
  owner: (id: string) => Promise<OwnedTarget | undefined>,
  snapshot: OrgSnapshot,
  call: InboundCall,
  request: InferenceRequest,
): Promise<CheckedState> {
  const named = namedByPath(call);
  if (named instanceof AppError) return { owned: undefined, foreign: named };
  const provider = snapshot.directory.providersByName.get(call.endpoint.provider ?? '');
  for (const { kind, id } of [...named, ...request.providerState.references]) {
    const owned = await owner(id);
    if (owned === undefined || owned.providerId !== provider?.id)
      return { owned: undefined, foreign: foreign(kind.replaceAll('_', ' '), id) };
  }
  return nothingNamed;
}

/**
 * Finds out whose the ids are: one that is unknown and one that is another's are the same `not_found`, since one
 * provider key serves everyone and any caller could else continue any other's conversation. The refusal is told
 * after its record.
 */
export async function checkProviderState(
  deps: Pick<GatewayDeps, 'ownedObject'>,
  snapshot: OrgSnapshot,
  actor: ActorChain,
  call: InboundCall,
  request: InferenceRequest,
): Promise<CheckedState> {
  const owner = (id: string) =>
    deps.ownedObject(snapshot.orgId, actor.principalId, actor.standing.workspaceId, id);
  if (call.endpoint.id === 'passthrough') return checkPassedThrough(owner, snapshot, call, request);
  for (const { kind, id } of request.providerState.references) {
    if ((await owner(id)) === undefined)
      return { owned: undefined, foreign: foreign(kind.replaceAll('_', ' '), id) };
  }
  const { id, objectId } = call.endpoint;
  if (id !== 'response_object' || objectId === undefined) return { owned: undefined, foreign: undefined };
  const owned = await owner(objectId);
  return { owned, foreign: owned === undefined ? foreign('response', objectId) : undefined };
}
