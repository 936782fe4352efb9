// Owns the opening of what is sealed for a record, its content and its client: by permission, for a stated reason, with an entry of its own.

import type { recordContent } from '@countersign/contract/evidence-operations';
import { AppError } from '@countersign/core/errors';
import { isId } from '@countersign/core/ids';
import { noRecord } from '../stores/records.ts';
import type { Command } from './command.ts';
import { demand, demandNoAgent } from './guard.ts';

/** Opens what is sealed for a record. INVARIANT: nothing is shown without an entry, whoever asks. */
export const readContent: Command<typeof recordContent> = async (view, ctx, { params, body }) => {
  const record = await view.recordOf(params.id);
  const workspaceId = record?.workspace_id;
  demand(
    ctx.actor,
    'records.content',
    typeof workspaceId === 'string' && isId('workspace', workspaceId) ? workspaceId : 'organization',
  );
  demandNoAgent(ctx.actor);
  if (record === undefined) throw noRecord(params.id);
  const content = await view.contentOf(record.id);
  if (content === undefined)
    throw new AppError(
      'not_found',
      'nothing is sealed for this record: the organization kept nothing, or the person was erased',
    );
  return {
    response: content,
    changes: [],
    shownOnce: ['request', 'response', 'client'],
    entry: { type: 'content_read', record: record.id, reason: body.reason },
  };
};
