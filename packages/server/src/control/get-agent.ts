// Owns the view of one agent.

import type { agentGet } from '@countersign/contract/directory-operations';
import { needVisible } from './list-visible.ts';
import type { Query } from './run-query.ts';
import { visibleAgents } from './visible-agents.ts';

/** The agent, if the asker may see it. */
export const getAgent: Query<typeof agentGet> = async (ctx, { params }) =>
  (await needVisible(ctx, 'agent', params.id, visibleAgents(ctx))).state;
