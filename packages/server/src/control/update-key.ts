// Owns changes of a key: its name, the models to which it is narrowed, its cost centre.

import type { keyUpdate } from '@countersign/contract/access-operations';
import type { Key } from '@countersign/core/directory/objects';
import { demandAccount, demandKeyTerms } from './chosen-account.ts';
import { type Command, changed } from './command.ts';
import { difference, patched } from './difference.ts';
import { demandModels } from './key-models.ts';
import { keyViewOf } from './key-view.ts';
import { demandLive, needKey } from './needed-key.ts';
import { demandReach } from './reach.ts';

/**
 * Changes what the body names. A key without `models` reaches what its principal reaches, never more. INVARIANT:
 * nobody widens a key that reaches further than the credential with which they do it, and nobody chooses the account
 * that they themselves are counted under.
 */
export const updateKey: Command<typeof keyUpdate> = async (view, ctx, { params, body }) => {
  const { state: before, createdAt } = await needKey(view, ctx, params.id);
  demandLive(before, ctx.nowMs);
  if (body.models !== undefined) await demandReach(view, ctx, before.principalId, before.workspaceId);
  await demandModels(view, before.use, body.models, before.models);
  const costCentre = patched(before.costCentre, body.costCentre);
  if (costCentre !== before.costCentre) {
    demandKeyTerms(ctx, before.workspaceId, 'costCentre');
    await demandAccount(view, ctx, 'keys.write', before.workspaceId, body.costCentre);
  }
  const state: Key = {
    ...before,
    name: body.name ?? before.name,
    models: patched(before.models, body.models),
    costCentre,
  };
  return {
    response: keyViewOf(state, createdAt, undefined),
    changes: difference(before, changed({ kind: 'key', id: before.id, state })),
  };
};
