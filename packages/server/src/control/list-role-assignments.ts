// Owns the list of role assignments.

import type { roleAssignmentList } from '@countersign/contract/directory-operations';
import { inScope, listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** Role assignments, newest first, as far as the asker may read them. */
export const listRoleAssignments: Query<typeof roleAssignmentList> = (ctx, { query }) =>
  listStates(
    ctx,
    'roleAssignment',
    query,
    inScope(ctx, 'roles.read', ({ workspaceId }) => workspaceId ?? 'organization'),
  );
