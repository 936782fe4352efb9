// Owns changes of a model: what its provider is sent, aliases, workspaces, price, ceiling, whether it may be called.

import type { modelUpdate } from '@countersign/contract/model-operations';
import type { Model } from '@countersign/core/directory/objects';
import { checkModel } from './check-model.ts';
import { type Command, changed } from './command.ts';
import { difference, patched } from './difference.ts';
import { demand } from './guard.ts';
import { modelViewOf } from './model-view.ts';

/** Changes what the body names. */
export const updateModel: Command<typeof modelUpdate> = async (view, ctx, { params, body }) => {
  demand(ctx.actor, 'models.write', 'organization');
  const { state: before } = await view.need('model', params.id);
  const { state: provider } = await view.need('provider', before.providerId);
  const { state: organization } = await view.need('organization', ctx.orgId);
  const state: Model = {
    ...before,
    upstreamName: body.upstreamName ?? before.upstreamName,
    aliases: body.aliases ?? before.aliases,
    workspaceIds: patched(before.workspaceIds, body.workspaceIds),
    price: patched(before.price, body.price),
    outputCeiling: patched(before.outputCeiling, body.outputCeiling),
    status: body.status ?? before.status,
  };
  await checkModel(view, state);
  return {
    response: modelViewOf(state, provider.kind, organization.defaultPrice),
    changes: difference(before, changed({ kind: 'model', id: before.id, state })),
  };
};
