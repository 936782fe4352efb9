// Owns the names beside records and usage: people's for whoever may read people, and one's own; services' for all.

import { isId } from '@countersign/core/ids';
import { openProfile } from '../services/subjects/profiles.ts';
import { findObject } from '../stores/objects.ts';
import { readSubjects } from '../stores/secrets.ts';
import { may } from './guard.ts';
import type { QueryContext } from './run-query.ts';

/** What a row says of who and where. */
export type Named = {
  readonly actor_id: string | null;
  readonly workspace_id: string | null;
  readonly application_id: string | null;
};

/** People whose names are read from the store at once. */
const peopleAtOnce = 1_000;

/** May the asker see the name of the person whom this row is about? */
export function maySeeName(ctx: QueryContext, row: Named): boolean {
  if (row.actor_id === ctx.actor.person) return true;
  const { workspace_id: id } = row;
  const scope = id !== null && isId('workspace', id) ? id : 'organization';
  return may(ctx.actor, 'principals.read', scope);
}

async function addPeople(
  ctx: QueryContext,
  ids: readonly string[],
  names: Map<string, string>,
): Promise<void> {
  for (let from = 0; from < ids.length; from += peopleAtOnce) {
    const some = ids.slice(from, from + peopleAtOnce);
    for (const [id, subject] of await readSubjects(ctx.store, ctx.orgId, some)) {
      const name = openProfile(ctx.opener, ctx.orgId, id, subject)?.name;
      if (name !== undefined) names.set(id, name);
    }
  }
}

/**
 * The names of those actors of these rows whom the asker may see, and of the services and applications, by id.
 * Erased people have none.
 */
export async function namesOf(
  ctx: QueryContext,
  rows: readonly Named[],
): Promise<ReadonlyMap<string, string>> {
  const people = new Set<string>();
  const services = new Set<string>();
  for (const row of rows) {
    const { actor_id: id, application_id: application } = row;
    if (id !== null && isId('user', id) && maySeeName(ctx, row)) people.add(id);
    for (const one of [id, application]) if (one !== null && isId('service', one)) services.add(one);
  }
  const names = new Map<string, string>();
  await addPeople(ctx, [...people], names);
  for (const id of services) {
    const service = await findObject(ctx.store, ctx.orgId, 'service', id);
    if (service !== undefined) names.set(id, service.state.name);
  }
  return names;
}
