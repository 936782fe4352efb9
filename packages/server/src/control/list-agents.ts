// Owns the list of agents.

import type { agentList } from '@countersign/contract/directory-operations';
import { inScope, listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';

/** Agents, newest first, as far as the asker may read them. */
export const listAgents: Query<typeof agentList> = (ctx, { query }) =>
  listStates(
    ctx,
    'agent',
    query,
    inScope(ctx, 'principals.read', ({ workspaceId }) => workspaceId),
  );
