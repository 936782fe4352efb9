// Owns the view of one rate limit.

import type { rateLimitGet } from '@countersign/contract/model-operations';
import { inScope, needVisible } from './list-visible.ts';
import { finderOf, scopeOfMeter } from './meter-scope.ts';
import type { Query } from './run-query.ts';

/** The rate limit, if the asker may read it. */
export const getRateLimit: Query<typeof rateLimitGet> = async (ctx, { params }) => {
  const find = finderOf(ctx);
  const isVisible = inScope<'rateLimit'>(ctx, 'rate_limits.read', ({ scope }) => scopeOfMeter(find, scope));
  return (await needVisible(ctx, 'rateLimit', params.id, isVisible)).state;
};
