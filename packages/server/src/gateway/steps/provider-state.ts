// Owns whose the ids are that a request names at the provider: only what this principal's own calls made.

import { keptInPairs, mostNamed } from '@countersign/core/dialects/kept-ids';
import { keptByPath } from '@countersign/core/dialects/kept-paths';
import type { InferenceRequest, StateReference } from '@countersign/core/dialects/request-types';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import type { InboundCall } from '../call.ts';
import type { GatewayDeps } from '../deps.ts';
import { checkPairs } from './form-fields.ts';
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
  if (call.query !== '' || id === 'response_object' || id === 'passthrough') return true;
  return request.providerState.references.length > 0;
}

/** Whose the things are that a call names. */
export type CheckedState = {
  /** What the path of a known endpoint names. */
  readonly owned: OwnedTarget | undefined;
  /** Where all of the things are the caller's: only there may the call go. Undefined where it names none. */
  readonly heldAt: ReadonlySet<string> | undefined;
  /** The first that is not the caller's, as the caller is told. */
  readonly foreign: AppError | undefined;
};

/** The state of a call that names nothing. */
export const nothingNamed: CheckedState = { owned: undefined, heldAt: undefined, foreign: undefined };

/** The refusal of a call to a provider that did not give the caller what the call names. */
export function heldElsewhere(): AppError {
  return new AppError(
    'not_found',
    'what this call names at the provider was not made there by your calls: leave it out',
  );
}

const listRefused = (provider: string | undefined): AppError =>
  new AppError(
    'not_found',
    `what ${provider ?? 'the provider'} keeps is everyone's together and cannot be listed: ask for one that your calls made, by its id`,
  );

function namedByQuery(query: string): readonly StateReference[] {
  if (query === '') return [];
  checkPairs(query);
  // Some take `;` for `&`.
  const readings = query.includes(';') ? [query, query.replaceAll(';', '&')] : [query];
  return readings.flatMap((text) => keptInPairs(new URLSearchParams(text)));
}

/** What the path and the query name; undefined for a path that asks for all at once. */
function namedByPath({ endpoint, method, query }: InboundCall): readonly StateReference[] | undefined {
  const queried = namedByQuery(query);
  if (endpoint.id === 'response_object' && endpoint.objectId !== undefined)
    return [{ kind: 'response', id: endpoint.objectId }, ...queried];
  if (endpoint.id !== 'passthrough') return queried;
  const kept = keptByPath(method, endpoint.providerPath);
  if (kept.kind === 'all') return undefined;
  return kept.kind === 'one' ? [...kept.references, ...queried] : queried;
}

/**
 * Finds out whose the things are that a call names: one that is unknown and one that is another's are the same
 * `not_found`, since one provider key serves everyone and any caller could else continue any other's conversation. An
 * id is its maker's at the provider that gave it. The refusal is told after its record. Throws `invalid_request` for
 * a call that names too many.
 */
export async function checkProviderState(
  deps: Pick<GatewayDeps, 'ownedObject'>,
  snapshot: OrgSnapshot,
  actor: ActorChain,
  call: InboundCall,
  request: InferenceRequest,
): Promise<CheckedState> {
  const { endpoint } = call;
  const byPath = namedByPath(call);
  if (byPath === undefined) return { ...nothingNamed, foreign: listRefused(endpoint.provider) };
  const named = [...byPath, ...request.providerState.references];
  if (named.length > mostNamed)
    throw new AppError(
      'invalid_request',
      `a call may name ${mostNamed} things that a provider keeps: make several calls`,
    );
  const pinned = snapshot.directory.providersByName.get(endpoint.provider ?? '');
  let owned: OwnedTarget | undefined;
  let heldAt: ReadonlySet<string> | undefined;
  for (const { kind, id } of named) {
    const { workspaceId } = actor.standing;
    const all = await deps.ownedObject(snapshot.orgId, actor.principalId, workspaceId, id);
    const held = all.filter(
      (one) => one.kind === kind && (endpoint.provider === undefined || one.providerId === pinned?.id),
    );
    if (endpoint.id === 'response_object' && id === endpoint.objectId) owned ??= held[0];
    const before = heldAt;
    heldAt = new Set(
      held.flatMap(({ providerId }) => (before?.has(providerId) === false ? [] : [providerId])),
    );
    if (heldAt.size === 0) return { ...nothingNamed, owned, foreign: foreign(kind.replaceAll('_', ' '), id) };
  }
  return { owned, heldAt, foreign: undefined };
}
