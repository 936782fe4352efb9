// Owns the making of a provider, with its sealed key.

import type { providerCreate } from '@countersign/contract/model-operations';
import type { Provider } from '@countersign/core/directory/objects';
import { checkProvider, commitmentOf } from './check-provider.ts';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';
import { providerViewOf } from './provider-view.ts';

/** Makes a provider. INVARIANT: the key is sealed; the record holds a commitment to it. */
export const createProvider: Command<typeof providerCreate> = async (_view, ctx, { body }) => {
  demand(ctx.actor, 'providers.write', 'organization');
  const { apiKey, external, ...rest } = body;
  const id = ctx.newId('provider');
  const state: Provider = {
    ...rest,
    id,
    external: external ?? body.kind !== 'sandbox',
    keyCommitment: apiKey === undefined ? undefined : commitmentOf(ctx, id, apiKey),
    status: 'active',
  };
  checkProvider(state);
  return {
    response: providerViewOf(state),
    changes: [changed({ kind: 'provider', id, state })],
    secrets: apiKey === undefined ? [] : [{ kind: 'provider_key', id, key: apiKey }],
  };
};
