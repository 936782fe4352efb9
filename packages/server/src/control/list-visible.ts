// Owns lists and look-ups of objects as the asker may see them.

import type { Scope } from '@countersign/core/access/authority';
import type { Permission } from '@countersign/core/access/permissions';
import type { ObjectKind, ObjectState } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { findObject, listPage, type Stored } from '../stores/objects.ts';
import { may } from './guard.ts';
import { cursorAt, positionOf } from './paging.ts';
import type { QueryContext } from './run-query.ts';
import { nameOf } from './view.ts';

/** Whether the asker may see an object. */
export type IsVisible<K extends ObjectKind> = (state: ObjectState<K>) => boolean | Promise<boolean>;

type Asked = { readonly cursor?: string | undefined; readonly limit: number };

const chunkRows = 200;

/**
 * A page of one kind, newest first, of what is visible. Cost: the page's rows where all is visible, else up to all
 * rows of the kind.
 */
export async function visiblePage<K extends ObjectKind>(
  ctx: QueryContext,
  kind: K,
  { cursor, limit }: Asked,
  isVisible: IsVisible<K>,
): Promise<{ readonly rows: readonly Stored<K>[]; readonly next?: string }> {
  const of = { orgId: ctx.orgId, list: kind };
  let after = positionOf(of, cursor);
  let size = limit;
  const rows: Stored<K>[] = [];
  for (;;) {
    const chunk = await listPage(ctx.store, ctx.orgId, kind, { after, limit: size });
    for (const row of chunk) {
      if (!(await isVisible(row.state))) continue;
      const last = rows.at(-1);
      if (rows.length === limit && last !== undefined) return { rows, next: cursorAt(of, last.state.id) };
      rows.push(row);
    }
    // A chunk comes with one row more while there are more.
    if (chunk.length <= size) return { rows };
    after = chunk.at(-1)?.state.id;
    size = chunkRows;
  }
}

/** A page of objects that are shown as they are recorded. */
export async function listStates<K extends ObjectKind>(
  ctx: QueryContext,
  kind: K,
  asked: Asked,
  isVisible: IsVisible<K>,
): Promise<{ items: ObjectState<K>[]; next?: string }> {
  const page = await visiblePage(ctx, kind, asked, isVisible);
  const items = page.rows.map(({ state }) => state);
  return page.next === undefined ? { items } : { items, next: page.next };
}

/** One object. Throws `not_found` alike for one that is not there and one that the asker may not see. */
export async function needVisible<K extends ObjectKind>(
  ctx: QueryContext,
  kind: K,
  id: string,
  isVisible: IsVisible<K>,
): Promise<Stored<K>> {
  const found = await findObject(ctx.store, ctx.orgId, kind, id);
  if (found !== undefined && (await isVisible(found.state))) return found;
  throw new AppError('not_found', `there is no ${nameOf(kind)} \`${id}\``);
}

/** Sees an object whose scope the permission reaches. */
export function inScope<K extends ObjectKind>(
  ctx: Pick<QueryContext, 'actor'>,
  permission: Permission,
  scopeOf: (state: ObjectState<K>) => Scope | Promise<Scope>,
): IsVisible<K> {
  if (may(ctx.actor, permission, 'organization')) return () => true;
  return async (state) => may(ctx.actor, permission, await scopeOf(state));
}
