// Owns of what a budget or rate limit is an object: of the workspace of what it counts, or of the organization.

import type { Scope } from '@countersign/core/access/authority';
import type { ObjectKind } from '@countersign/core/directory/objects';
import type { MeterScope } from '@countersign/core/directory/scalars';
import { assertNever } from '@countersign/core/errors';
import type { OrgId } from '@countersign/core/ids';
import { isId } from '@countersign/core/ids';
import { findObject, type Stored } from '../stores/objects.ts';
import type { Store } from '../stores/schema.ts';
import { demandPrincipal } from './active-principal.ts';
import type { View } from './view.ts';

/** A way to find an object of the organization. */
export type Find = <K extends ObjectKind>(kind: K, id: string) => Promise<Stored<K> | undefined>;

/** Finds through the reader's connection. */
export function finderOf(ctx: { readonly store: Store; readonly orgId: OrgId }): Find {
  return (kind, id) => findObject(ctx.store, ctx.orgId, kind, id);
}

/** The workspace of what is counted, or the organization. What is gone belongs to the organization. */
export async function scopeOfMeter(find: Find, scope: MeterScope): Promise<Scope> {
  switch (scope.kind) {
    case 'workspace':
      return scope.id;
    case 'team':
      return (await find('team', scope.id))?.state.workspaceId ?? 'organization';
    case 'key':
      return (await find('key', scope.id))?.state.workspaceId ?? 'organization';
    case 'person':
      if (isId('service', scope.id))
        return (await find('service', scope.id))?.state.workspaceId ?? 'organization';
      if (isId('agent', scope.id))
        return (await find('agent', scope.id))?.state.workspaceId ?? 'organization';
      return 'organization';
    case 'organization':
    case 'cost_centre':
    case 'model':
      return 'organization';
    default:
      return assertNever(scope);
  }
}

/** Throws `not_found` if what is to be counted is not of this organization. */
export async function demandCounted(view: View, scope: MeterScope): Promise<void> {
  switch (scope.kind) {
    case 'workspace':
    case 'team':
    case 'key':
    case 'model':
      await view.need(scope.kind, scope.id);
      return;
    case 'person':
      return demandPrincipal(view, scope.id);
    case 'organization':
    case 'cost_centre':
      return;
    default:
      return assertNever(scope);
  }
}
