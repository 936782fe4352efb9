// Owns the list of workspaces.

import type { workspaceList } from '@countersign/contract/directory-operations';
import { inScope, listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** Workspaces, newest first, as far as the asker may read them. */
export const listWorkspaces: Query<typeof workspaceList> = (ctx, { query }) =>
  listStates(
    ctx,
    'workspace',
    query,
    inScope(ctx, 'workspaces.read', ({ id }) => id),
  );
