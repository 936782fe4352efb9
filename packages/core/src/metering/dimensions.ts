// Owns what a call is counted under, and the index from there to the budgets and limits that apply.

import type { MeterScope } from '../directory/scalars.ts';
import type { KeyId, ModelId, PrincipalId, TeamId, WorkspaceId } from '../ids.ts';

/** Everything that a call is counted under, beside its organization. */
export type CallDimensions = {
  /** The person or service that answers for the call and, if agents act, each agent of the chain. */
  readonly principalIds: readonly PrincipalId[];
  /** Absent: the call came with a token or a session. */
  readonly keyId?: KeyId | undefined;
  readonly teamIds: readonly TeamId[];
  readonly workspaceId: WorkspaceId;
  readonly costCentre?: string | undefined;
  /** Absent: an endpoint that is passed through without naming a model. */
  readonly modelId?: ModelId | undefined;
  /** Models that the provider may run instead or beside. Absent: none, as for nearly every call. */
  readonly otherModelIds?: readonly ModelId[] | undefined;
};

/** Things with a scope, found by a call's dimensions without looking at the others. */
export type ScopeIndex<T> = {
  readonly organization: readonly T[];
  /** By the id of a principal, key, team, workspace or model: their prefixes keep them apart. */
  readonly byId: ReadonlyMap<string, readonly T[]>;
  readonly byCostCentre: ReadonlyMap<string, readonly T[]>;
};

/** An index over things with a scope. Linear in their number; done when they change. */
export function indexByScope<T>(items: Iterable<T>, scopeOf: (item: T) => MeterScope): ScopeIndex<T> {
  const organization: T[] = [];
  const byId = new Map<string, T[]>();
  const byCostCentre = new Map<string, T[]>();
  for (const item of items) {
    const scope = scopeOf(item);
    if (scope.kind === 'organization') {
      organization.push(item);
      continue;
    }
    const map = scope.kind === 'cost_centre' ? byCostCentre : byId;
    const list = map.get(scope.id);
    if (list === undefined) map.set(scope.id, [item]);
    else list.push(item);
  }
  return { organization, byId, byCostCentre };
}

/**
 * All things whose scope covers the call, each once, the organization's first. Its cost does not depend on how many
 * things the index holds.
 */
export function applicable<T>(index: ScopeIndex<T>, dims: CallDimensions): T[] {
  const found = [...index.organization];
  if (index.byId.size > 0) {
    addEach(found, index.byId, dims.principalIds);
    if (dims.keyId !== undefined) add(found, index.byId.get(dims.keyId));
    addEach(found, index.byId, dims.teamIds);
    add(found, index.byId.get(dims.workspaceId));
    if (dims.modelId !== undefined) add(found, index.byId.get(dims.modelId));
    if (dims.otherModelIds !== undefined)
      addEach(
        found,
        index.byId,
        dims.otherModelIds.filter((id) => id !== dims.modelId),
      );
  }
  if (dims.costCentre !== undefined) add(found, index.byCostCentre.get(dims.costCentre));
  // In an array that grew there is room for more, and this one is kept: for each key in use.
  return found.slice();
}

function add<T>(found: T[], more: readonly T[] | undefined): void {
  if (more !== undefined) for (const item of more) found.push(item);
}

function addEach<T>(found: T[], byId: ReadonlyMap<string, readonly T[]>, ids: readonly string[]): void {
  for (let i = 0; i < ids.length; i += 1) {
    const id = ids[i];
    // An id given twice must not be charged twice.
    if (id !== undefined && ids.indexOf(id) === i) add(found, byId.get(id));
  }
}

/** Whether one scope covers a call: the plain statement of what the index does faster. */
export function covers(scope: MeterScope, dims: CallDimensions): boolean {
  switch (scope.kind) {
    case 'organization':
      return true;
    case 'person':
      return dims.principalIds.includes(scope.id);
    case 'key':
      return dims.keyId === scope.id;
    case 'team':
      return dims.teamIds.includes(scope.id);
    case 'workspace':
      return dims.workspaceId === scope.id;
    case 'cost_centre':
      return dims.costCentre === scope.id;
    case 'model':
      return dims.modelId === scope.id || dims.otherModelIds?.includes(scope.id) === true;
  }
}
