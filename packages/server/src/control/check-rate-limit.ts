// Owns the rule that a rate limit limits something.

import type { RateLimit } from '@countersign/core/directory/objects';
import { AppError } from '@countersign/core/errors';

/** Throws `invalid_request` for a limit without a number. */
export function checkRateLimit(limit: RateLimit): void {
  const { requestsPerMinute, tokensPerMinute, concurrent } = limit;
  if (requestsPerMinute !== undefined || tokensPerMinute !== undefined || concurrent !== undefined) return;
  throw new AppError(
    'invalid_request',
    'a rate limit needs a number: give `requestsPerMinute`, `tokensPerMinute` or `concurrent`',
  );
}
