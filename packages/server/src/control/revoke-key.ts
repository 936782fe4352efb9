// Owns the end of a key.

import type { keyRevoke } from '@countersign/contract/access-operations';
import type { Key } from '@countersign/core/directory/objects';
import { type Command, changed } from './command.ts';
import { difference } from './difference.ts';
import { keyViewOf } from './key-view.ts';
import { needKey } from './needed-key.ts';
import { demandReach, isOwn } from './reach.ts';

/**
 * Ends a key, with its former secret. Revoking a revoked key changes nothing. A key for models is ended by whoever
 * administers its workspace, since that must be easy; a management key of another only by who could have made it, so
 * that nobody locks out those who hold more. One's own is always one's own to end.
 */
export const revokeKey: Command<typeof keyRevoke> = async (view, ctx, { params, body }) => {
  const { state: before, createdAt } = await needKey(view, ctx, params.id);
  if (before.use === 'management' && !(await isOwn(view, ctx.actor, before.principalId)))
    await demandReach(view, ctx, before.principalId, before.workspaceId);
  const { previous: _former, ...rest } = before;
  const state: Key = { ...rest, status: 'revoked' };
  return {
    response: keyViewOf(state, createdAt, undefined),
    changes: difference(before, changed({ kind: 'key', id: before.id, state })),
    entry: { type: 'management', ...(body.reason ? { reason: body.reason } : {}) },
  };
};
