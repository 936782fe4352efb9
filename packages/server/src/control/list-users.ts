// Owns the list of people, with their opened profiles.

import type { userList } from '@countersign/contract/directory-operations';
import { openProfile } from '../services/subjects/profiles.ts';
import { readSubjects } from '../stores/secrets.ts';
import { visiblePage } from './list-visible.ts';
import type { Query } from './run-query.ts';
import { userViewOf } from './user-view.ts';
import { visibleUsers } from './visible-users.ts';

/** People, newest first, as far as the asker may see them. */
export const listUsers: Query<typeof userList> = async (ctx, { query }) => {
  const page = await visiblePage(ctx, 'user', query, await visibleUsers(ctx));
  const ids = page.rows.map(({ state }) => state.id);
  const subjects = await readSubjects(ctx.store, ctx.orgId, ids);
  const items = page.rows.map(({ state }) =>
    userViewOf(state, openProfile(ctx.opener, ctx.orgId, state.id, subjects.get(state.id))),
  );
  return page.next === undefined ? { items } : { items, next: page.next };
};
