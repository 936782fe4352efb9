// Owns the names of what usage is grouped by: people's as far as the asker may see them.

import { listAll } from '../stores/object-lists.ts';
import type { UsageRow } from '../stores/usage.ts';
import { namesOf } from './person-names.ts';
import type { QueryContext } from './run-query.ts';

type Grouped = { readonly group: { readonly [group: string]: string | null } };

/** The items, each with the names of the ids in its group. `rows` are those that the items were summed up from. */
export async function withNames<I extends Grouped>(
  ctx: QueryContext,
  rows: readonly UsageRow[],
  items: readonly I[],
): Promise<(I & { readonly names: { [group: string]: string } })[]> {
  const { store, orgId } = ctx;
  const groups = new Set(items.flatMap(({ group }) => Object.keys(group)));
  const names = new Map<string, string>();
  if (groups.has('user') || groups.has('application')) {
    const who = rows.map((row) => ({ ...row, actor_id: groups.has('user') ? row.user_id : null }));
    for (const [id, name] of await namesOf(ctx, who)) names.set(id, name);
  }
  if (groups.has('team'))
    for (const { state } of await listAll(store, orgId, 'team')) names.set(state.id, state.name);
  if (groups.has('workspace'))
    for (const { state } of await listAll(store, orgId, 'workspace')) names.set(state.id, state.name);
  return items.map((item) => ({
    ...item,
    names: Object.fromEntries(
      Object.entries(item.group).flatMap(([group, id]): [string, string][] => {
        const name = id === null ? undefined : names.get(id);
        return name === undefined ? [] : [[group, name]];
      }),
    ),
  }));
}
