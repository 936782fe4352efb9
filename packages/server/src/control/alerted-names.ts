// Owns the names of what alerts are about, for whoever sees the alert.

import { isId } from '@countersign/core/ids';
import { alertedIdOf } from '../services/ledger/record-view.ts';
import { findObject } from '../stores/objects.ts';
import type { RecordRow } from '../stores/schema.ts';
import type { QueryContext } from './run-query.ts';

/** The names of the budgets and models that alerts among these rows are about, by id. What is removed has none. */
export async function alertedNames(
  ctx: QueryContext,
  rows: readonly RecordRow[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const id of new Set(rows.map(alertedIdOf))) {
    if (id === undefined) continue;
    const budget = isId('budget', id) ? await findObject(ctx.store, ctx.orgId, 'budget', id) : undefined;
    const model = isId('model', id) ? await findObject(ctx.store, ctx.orgId, 'model', id) : undefined;
    const name = budget?.state.name ?? model?.state.name;
    if (name !== undefined) names.set(id, name);
  }
  return names;
}
