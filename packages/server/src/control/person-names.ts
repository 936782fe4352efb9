// Owns the names of people beside their records: for whoever may read people, and one's own.

import { isId } from '@countersign/core/ids';
import { openProfile } from '../services/subjects/profiles.ts';
import type { RecordRow } from '../stores/records.ts';
import { readSubjects } from '../stores/secrets.ts';
import { may } from './guard.ts';
import type { QueryContext } from './run-query.ts';

function maySeeName(ctx: QueryContext, row: RecordRow): boolean {
  if (row.actor_id === ctx.actor.person) return true;
  const { workspace_id: id } = row;
  const scope = id !== null && isId('workspace', id) ? id : 'organization';
  return may(ctx.actor, 'principals.read', scope);
}

/** The names of those actors of these rows whom the asker may see, by id. Erased people have none. */
export async function namesOf(
  ctx: QueryContext,
  rows: readonly RecordRow[],
): Promise<ReadonlyMap<string, string>> {
  const ids = new Set(
    rows.flatMap((row) => (isId('user', row.actor_id) && maySeeName(ctx, row) ? [row.actor_id] : [])),
  );
  const names = new Map<string, string>();
  for (const [id, subject] of await readSubjects(ctx.store, ctx.orgId, [...ids])) {
    const name = openProfile(ctx.opener, ctx.orgId, id, subject)?.name;
    if (name !== undefined) names.set(id, name);
  }
  return names;
}
