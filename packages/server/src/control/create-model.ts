// Owns the making of a model: a name that clients send, and what a provider is sent for it.

import type { modelCreate } from '@countersign/contract/model-operations';
import type { Model } from '@countersign/core/directory/objects';
import { checkModel } from './check-model.ts';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';
import { modelViewOf } from './model-view.ts';

/** Makes a model at a provider of this organization. */
export const createModel: Command<typeof modelCreate> = async (view, ctx, { body }) => {
  demand(ctx.actor, 'models.write', 'organization');
  const { state: provider } = await view.need('provider', body.providerId);
  const { state: organization } = await view.need('organization', ctx.orgId);
  const id = ctx.newId('model');
  const state: Model = {
    ...body,
    id,
    upstreamName: body.upstreamName ?? body.name,
    status: 'active',
  };
  await checkModel(view, state);
  return {
    response: modelViewOf(state, provider.kind, organization.defaultPrice),
    changes: [changed({ kind: 'model', id, state })],
  };
};
