// Owns the view of one person, with the opened profile.

import type { userGet } from '@countersign/contract/directory-operations';
import { readProfile } from '../services/subjects/profiles.ts';
import { needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';
import { userViewOf } from './user-view.ts';
import { visibleUsers } from './visible-users.ts';

/** The person, if the asker may see them. */
export const getUser: Query<typeof userGet> = async (ctx, { params }) => {
  const { state } = await needVisible(ctx, 'user', params.id, await visibleUsers(ctx));
  return userViewOf(state, await readProfile(ctx.store, ctx.orgId, ctx.opener, state.id));
};
