// Owns the end of a provider that no model uses any more.

import type { providerRemove } from '@countersign/contract/model-operations';
import { AppError } from '@countersign/core/errors';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';

/** Removes a provider and its sealed key. Refused with `conflict` while models use it. */
export const removeProvider: Command<typeof providerRemove> = async (view, ctx, { params }) => {
  demand(ctx.actor, 'providers.write', 'organization');
  const { state } = await view.need('provider', params.id);
  const [model] = await view.listOwned('model', state.id);
  if (model !== undefined) {
    throw new AppError(
      'conflict',
      `model \`${model.state.name}\` uses this provider: remove its models first`,
    );
  }
  return {
    response: { id: state.id, removed: true },
    changes: [changed({ kind: 'provider', id: state.id, state: null })],
    secrets: [{ kind: 'provider_key', id: state.id, key: null }],
  };
};
