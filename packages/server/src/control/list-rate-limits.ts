// Owns the list of rate limits.

import type { rateLimitList } from '@countersign/contract/model-operations';
import { inScope, listStates } from './list-visible.ts';
import { finderOf, scopeOfMeter } from './meter-scope.ts';
import type { Query } from './run-query.ts';

/** Rate limits, newest first, as far as the asker may read them. */
export const listRateLimits: Query<typeof rateLimitList> = (ctx, { query }) => {
  const find = finderOf(ctx);
  const isVisible = inScope<'rateLimit'>(ctx, 'rate_limits.read', ({ scope }) => scopeOfMeter(find, scope));
  return listStates(ctx, 'rateLimit', query, isVisible);
};
