// Owns the end of a rate limit.

import type { rateLimitRemove } from '@countersign/contract/model-operations';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';
import { scopeOfMeter } from './meter-scope.ts';

/** Removes a rate limit: it limits nothing from the next call on. */
export const removeRateLimit: Command<typeof rateLimitRemove> = async (view, ctx, { params }) => {
  const { state } = await view.need('rateLimit', params.id);
  demand(ctx.actor, 'rate_limits.write', await scopeOfMeter(view.find, state.scope));
  return {
    response: { id: state.id, removed: true },
    changes: [changed({ kind: 'rateLimit', id: state.id, state: null })],
  };
};
