// Owns which records an asker may see: all, those of the asker's workspace, or the asker's own.

import type { RecordFilter } from '../stores/record-filter.ts';
import { findRecord, noRecord } from '../stores/records.ts';
import type { RecordRow } from '../stores/schema.ts';
import { may } from './guard.ts';
import type { QueryContext } from './run-query.ts';

/** What the asker may see: a filter that every row of theirs fits. */
export function visibleRecords(ctx: QueryContext): Pick<RecordFilter, 'actor' | 'workspace'> {
  if (may(ctx.actor, 'records.read', 'organization')) return {};
  const { workspaceId } = ctx.actor.authority;
  if (may(ctx.actor, 'records.read', workspaceId)) return { workspace: workspaceId };
  return { actor: ctx.actor.principalId };
}

/** A record by its own or its request's id. Throws `not_found` alike for one that the asker may not see. */
export async function needRecord(ctx: QueryContext, id: string): Promise<RecordRow> {
  const row = await findRecord(ctx.store, ctx.orgId, id);
  const { actor, workspace } = visibleRecords(ctx);
  const isVisible =
    row !== undefined &&
    (actor === undefined || row.actor_id === actor) &&
    (workspace === undefined || row.workspace_id === workspace);
  if (isVisible) return row;
  throw noRecord(id);
}
