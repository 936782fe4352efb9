// Owns the view of one workspace.

import type { workspaceGet } from '@countersign/contract/directory-operations';
import { inScope, needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** The workspace, if the asker may read it. */
export const getWorkspace: Query<typeof workspaceGet> = async (ctx, { params }) =>
  (
    await needVisible(
      ctx,
      'workspace',
      params.id,
      inScope(ctx, 'workspaces.read', ({ id }) => id),
    )
  ).state;
