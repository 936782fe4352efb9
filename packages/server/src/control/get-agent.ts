// Owns the view of one agent.

import type { agentGet } from '@countersign/contract/directory-operations';
import { inScope, needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** The agent, if the asker may read it. */
export const getAgent: Query<typeof agentGet> = async (ctx, { params }) =>
  (
    await needVisible(
      ctx,
      'agent',
      params.id,
      inScope(ctx, 'principals.read', ({ workspaceId }) => workspaceId),
    )
  ).state;
