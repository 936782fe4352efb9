// Owns changes of a rate limit: its name and its numbers.

import type { rateLimitUpdate } from '@countersign/contract/model-operations';
import type { RateLimit } from '@countersign/core/directory/objects';
import { checkRateLimit } from './check-rate-limit.ts';
import { type Command, changed } from './command.ts';
import { difference, patched } from './difference.ts';
import { demand } from './guard.ts';
import { scopeOfMeter } from './meter-scope.ts';

/** Changes what the body names; the last number cannot be cleared. */
export const updateRateLimit: Command<typeof rateLimitUpdate> = async (view, ctx, { params, body }) => {
  const { state: before } = await view.need('rateLimit', params.id);
  demand(ctx.actor, 'rate_limits.write', await scopeOfMeter(view.find, before.scope));
  const state: RateLimit = {
    ...before,
    name: body.name ?? before.name,
    requestsPerMinute: patched(before.requestsPerMinute, body.requestsPerMinute),
    tokensPerMinute: patched(before.tokensPerMinute, body.tokensPerMinute),
    concurrent: patched(before.concurrent, body.concurrent),
  };
  checkRateLimit(state);
  const changes = difference(before, changed({ kind: 'rateLimit', id: before.id, state }));
  return { response: state, changes };
};
