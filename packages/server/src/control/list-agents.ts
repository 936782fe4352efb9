// Owns the list of agents.

import type { agentList } from '@countersign/contract/directory-operations';
import { listStates } from './list-visible.ts';
import type { Query } from './run-query.ts';
import { visibleAgents } from './visible-agents.ts';

/** Agents, newest first, as far as the asker may see them: at least their own. */
export const listAgents: Query<typeof agentList> = (ctx, { query }) =>
  listStates(ctx, 'agent', query, visibleAgents(ctx));
