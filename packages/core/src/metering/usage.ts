// Owns the shape of a call's token usage: disjoint buckets, whatever the provider calls them.

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
  /**
   * Tokens written to a cache that lives an hour (Anthropic's `cache_creation.ephemeral_1h_input_tokens`), which
   * costs more than the usual write. Not counted in `cacheWrite`.
   */
  readonly cacheWriteHour?: number;
};

/** A call that used nothing. */
export const noUsage: TokenUsage = { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0 };

/** All tokens that went in: what a price's tier is chosen by. */
export function inputTokens(usage: TokenUsage): number {
  return usage.input + usage.cachedInput + usage.cacheWrite + (usage.cacheWriteHour ?? 0);
}

/** All tokens of a call, in and out: what a limit on tokens per minute counts. */
export function totalTokens(usage: TokenUsage): number {
  return inputTokens(usage) + usage.output + usage.reasoning;
}
