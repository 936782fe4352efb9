// Owns changes of a provider: where it is, its key, its time-outs, whether it may be called.

import type { providerUpdate } from '@countersign/contract/model-operations';
import type { Provider } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';
import { checkProvider, commitmentOf } from './check-provider.ts';
import { type Command, changed } from './command.ts';
import { difference } from './difference.ts';
import { demand } from './guard.ts';
import { originOf } from './plain-url.ts';
import { providerViewOf } from './provider-view.ts';

/** Changes what the body names. INVARIANT: a stored key is never sent to another place than it was given for. */
export const updateProvider: Command<typeof providerUpdate> = async (view, ctx, { params, body }) => {
  demand(ctx.actor, 'providers.write', 'organization');
  const { state: before } = await view.need('provider', params.id);
  const { apiKey } = body;
  const isMoved = body.baseUrl !== undefined && originOf(body.baseUrl) !== originOf(before.baseUrl);
  if (isMoved && before.keyCommitment !== undefined && apiKey === undefined) {
    throw new AppError(
      'invalid_request',
      'the new `baseUrl` is at another host: give its `apiKey` with it, the stored key is not sent there',
    );
  }
  const state: Provider = {
    ...before,
    baseUrl: body.baseUrl ?? before.baseUrl,
    external: body.external ?? before.external,
    keyCommitment: apiKey === undefined ? before.keyCommitment : commitmentOf(ctx, before.id, apiKey),
    timeouts: body.timeouts ?? before.timeouts,
    retryStatuses: body.retryStatuses ?? before.retryStatuses,
    status: body.status ?? before.status,
  };
  checkProvider(state);
  return {
    response: providerViewOf(state),
    changes: difference(before, changed({ kind: 'provider', id: before.id, state })),
    secrets: apiKey === undefined ? [] : [{ kind: 'provider_key', id: before.id, key: apiKey }],
  };
};
