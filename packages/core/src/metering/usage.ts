// Owns the shape of a call's token usage: five disjoint buckets, whatever the provider calls them.

/**
 * Tokens of one call, in buckets that do not overlap: a cached token is not counted in `input`, a token written
 * to the cache is not counted in `input`, a reasoning token is not counted in `output`. Their sum is all that the
 * provider bills. Each is a whole number from 0 to 2^53 - 1.
 */
export type TokenUsage = {
  readonly input: number;
  readonly output: number;
  readonly cachedInput: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
};

/** A call that used nothing. */
export const noUsage: TokenUsage = { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0 };

/** All tokens of a call, in and out: what a limit on tokens per minute counts. */
export function totalTokens(usage: TokenUsage): number {
  return usage.input + usage.output + usage.cachedInput + usage.cacheWrite + usage.reasoning;
}
