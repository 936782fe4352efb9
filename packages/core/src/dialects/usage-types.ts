// Owns the token buckets that metering prices, and the report that an answer is reduced to.

/**
 * Tokens of one answer in buckets that never overlap: their sum is what the provider counted, each token
 * once. Whole numbers, never negative. `cachedInput` is read from a cache, `cacheWrite…` are written to it.
 */
export type TokenUsage = {
  readonly input: number;
  readonly cachedInput: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly audioInput: number;
  /** Without reasoning and audio. */
  readonly output: number;
  readonly reasoning: number;
  readonly audioOutput: number;
};

export const noTokens: TokenUsage = {
  input: 0,
  cachedInput: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  audioInput: 0,
  output: 0,
  reasoning: 0,
  audioOutput: 0,
};

/** What an answer says of itself, read while its bytes pass. */
export type AnswerReport = {
  readonly usage: TokenUsage;
  /** Tokens of other models that the provider ran for this answer and bills beside it (an advisor). */
  readonly otherModels: readonly { readonly model: string; readonly usage: TokenUsage }[];
  /** True when the provider gave no final usage, so that the buckets are our own count. */
  readonly estimated: boolean;
  /** Calls of the provider's own web search, which are billed one by one. */
  readonly webSearches: number;
  /** The model that the provider says it used. */
  readonly servedModel: string | undefined;
  /** The provider's id of the answer. */
  readonly responseId: string | undefined;
  /** Further ids that the answer created at the provider: containers, conversations, files, output items. */
  readonly createdState: readonly { readonly kind: CreatedStateKind; readonly id: string }[];
  /** Service tier that the provider says it used, which may change the price. */
  readonly serviceTier: string | undefined;
};

export type CreatedStateKind = 'response' | 'conversation' | 'container' | 'file' | 'item' | 'completion';
