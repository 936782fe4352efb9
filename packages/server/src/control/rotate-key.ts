// Owns the rotation of a key: a new secret, and for a while the former one.

import type { keyRotate } from '@countersign/contract/access-operations';
import type { Key } from '@countersign/core/directory/objects';
import { formatKey } from '@countersign/core/tokens/key-format';
import { type Command, changed } from './command.ts';
import { demandNoLaterEnd } from './key-end.ts';
import { keyViewOf } from './key-view.ts';
import { demandLive, needKey } from './needed-key.ts';
import { demandReach } from './reach.ts';

/** Shows the new secret once. INVARIANT: it reaches no further, and lives no longer, than the credential that asked for it. */
export const rotateKey: Command<typeof keyRotate> = async (view, ctx, { params, body }) => {
  const { state: before, createdAt } = await needKey(view, ctx, params.id);
  await demandReach(view, ctx, before.principalId, before.workspaceId);
  demandLive(before, ctx.nowMs);
  await demandNoLaterEnd(view, ctx, before);
  const text = formatKey(before.id, ctx.randomBytes(32));
  const { previous: _former, ...rest } = before;
  const state: Key = {
    ...rest,
    hash: ctx.sha256Hex(text),
    madeBy: ctx.actor.principalId,
    ...(body.overlapSeconds === 0
      ? {}
      : { previous: { hash: before.hash, until: ctx.nowMs + body.overlapSeconds * 1000 } }),
  };
  return {
    response: { ...keyViewOf(state, createdAt, undefined), key: text },
    changes: [changed({ kind: 'key', id: before.id, state })],
    shownOnce: ['key'],
  };
};
