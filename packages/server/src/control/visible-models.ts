// Owns which models an asker may see: all, or those that the workspace of the asker may use.

import type { Model } from '@countersign/core/directory/objects';
import { findObject } from '../stores/objects.ts';
import { may } from './guard.ts';
import type { IsVisible } from './list-visible.ts';
import { modelViewOf } from './model-view.ts';
import { needOrganization } from './needed-organization.ts';
import type { QueryContext } from './run-query.ts';

/** Whether the asker may see a model. */
export function visibleModels(ctx: QueryContext): IsVisible<'model'> {
  if (may(ctx.actor, 'models.read', 'organization')) return () => true;
  const { workspaceId } = ctx.actor.authority;
  if (!may(ctx.actor, 'models.read', workspaceId)) return () => false;
  return ({ workspaceIds }) => workspaceIds === undefined || workspaceIds.includes(workspaceId);
}

/** Views of models with the prices in force. */
export async function viewsOf(ctx: QueryContext, models: readonly Model[]) {
  const { defaultPrice } = await needOrganization(ctx);
  const kinds = new Map<string, Parameters<typeof modelViewOf>[1]>();
  for (const id of new Set(models.map(({ providerId }) => providerId))) {
    const provider = await findObject(ctx.store, ctx.orgId, 'provider', id);
    if (provider !== undefined) kinds.set(id, provider.state.kind);
  }
  // A kind for which no table is searched stands in for a provider that is not there.
  return models.map((model) =>
    modelViewOf(model, kinds.get(model.providerId) ?? 'openai_compatible', defaultPrice),
  );
}
