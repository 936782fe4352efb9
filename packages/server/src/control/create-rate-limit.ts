// Owns the making of a rate limit.

import type { rateLimitCreate } from '@countersign/contract/model-operations';
import type { RateLimit } from '@countersign/core/directory/objects';
import { checkRateLimit } from './check-rate-limit.ts';
import { type Command, changed } from './command.ts';
import { demand } from './guard.ts';
import { demandCounted, scopeOfMeter } from './meter-scope.ts';

/** Makes a rate limit over something of this organization. */
export const createRateLimit: Command<typeof rateLimitCreate> = async (view, ctx, { body }) => {
  await demandCounted(view, body.scope);
  demand(ctx.actor, 'rate_limits.write', await scopeOfMeter(view.find, body.scope));
  const id = ctx.newId('rateLimit');
  const state: RateLimit = { ...body, id };
  checkRateLimit(state);
  return { response: state, changes: [changed({ kind: 'rateLimit', id, state })] };
};
