// Owns the shape of a call's token usage: disjoint buckets, whatever the provider calls them.

/**
 * Tokens of one call, in buckets that do not overlap: a cached token is not counted in `input`, a reasoning or
 * audio token is not counted in `output`. Their sum is all that the provider bills by the token. Each is a whole
 * number from 0 to 2^53 - 1. The readers of answers give exactly these.
 */
export type TokenUsage = {
  readonly input: number;
  readonly cachedInput: number;
  /** Written to the provider's cache for the usual time; all of them where the provider does not tell. */
  readonly cacheWrite5m: number;
  /** Written to the provider's cache for long, which costs more. */
  readonly cacheWrite1h: number;
  readonly audioInput: number;
  readonly output: number;
  readonly reasoning: number;
  readonly audioOutput: number;
};

/** A call that used nothing. */
export const noUsage: TokenUsage = {
  input: 0,
  cachedInput: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  audioInput: 0,
  output: 0,
  reasoning: 0,
  audioOutput: 0,
};

/** All tokens that went in: what a price's tier is chosen by. */
export function inputTokens(usage: TokenUsage): number {
  return usage.input + usage.cachedInput + usage.cacheWrite5m + usage.cacheWrite1h + usage.audioInput;
}

/** All tokens that came out. */
export function outputTokens(usage: TokenUsage): number {
  return usage.output + usage.reasoning + usage.audioOutput;
}

/** All tokens of a call, in and out: what a limit on tokens per minute counts. */
export function totalTokens(usage: TokenUsage): number {
  return inputTokens(usage) + outputTokens(usage);
}
