// Owns the report that an answer is reduced to: its usage, its ids, and what it says of itself.

import type { TokenUsage } from '../metering/usage.ts';
import type { CallModes } from './call-modes.ts';

/**
 * How an answer ended. `whole`: with what its dialect ends an answer with; `error`: the provider says that it
 * failed; `cut`: neither, so that nobody can tell how much of it is missing.
 */
export type AnswerEnding = 'whole' | 'error' | 'cut';

/** What an answer says of itself, read while its bytes pass. */
export type AnswerReport = {
  readonly ending: AnswerEnding;
  readonly usage: TokenUsage;
  /** Tokens of other models that the provider ran for this answer and bills beside it (an advisor). */
  readonly otherModels: readonly { readonly model: string; readonly usage: TokenUsage }[];
  /** True when the provider gave no final usage that counts anything, so that the buckets are our own count. */
  readonly estimated: boolean;
  /** Calls of the provider's own web search, which are billed one by one. */
  readonly webSearches: number;
  /** The model that the provider says it used. */
  readonly servedModel: string | undefined;
  /** The provider's id of the answer. */
  readonly responseId: string | undefined;
  /** Further ids that the answer created at the provider: containers, conversations, files, output items, sound. */
  readonly createdState: readonly { readonly kind: CreatedStateKind; readonly id: string }[];
  /** The whole answer of an endpoint that is passed through, where it is a JSON object. */
  readonly passed: { readonly [key: string]: unknown } | undefined;
  /** The tier, speed and region that the provider says it used, which change the price. */
  readonly modes: CallModes;
};

export type CreatedStateKind =
  | 'response'
  | 'conversation'
  | 'container'
  | 'file'
  | 'item'
  | 'completion'
  | 'audio';
