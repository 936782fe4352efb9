// Owns the worst case of a request in tokens, which budgets reserve before it is sent.

import type { InferenceRequest } from './request-types.ts';

/** What a model can take and make, in tokens; from the catalogue of models. */
export type TokenCaps = {
  readonly contextWindow: number;
  readonly maxOutput: number;
  /** The most that one picture, recording or file can count for. */
  readonly perImage: number;
  readonly perAudio: number;
  readonly perFile: number;
  /** What a provider adds of its own: preambles for tools, message frames beyond the JSON around them. */
  readonly preamble: number;
  /** How many times a provider that runs its own tools may read the whole context again. */
  readonly hostedRounds: number;
};

/**
 * The most input tokens that the request can be billed for. Each token is at least a byte of text, and the
 * JSON around a message is longer than its frame in the model, so the body's bytes bound the text; media
 * count by their caps. What the body only names (an earlier response, a conversation, a stored prompt) can
 * fill the window, and a provider that runs tools reads the window once a round.
 */
export function inputBound(request: InferenceRequest, caps: TokenCaps): number {
  const { counts, providerState } = request;
  if (request.hostedTools.length > 0) return caps.contextWindow * Math.max(1, caps.hostedRounds);
  const hasUnseen = providerState.references.some(
    ({ kind }) => kind === 'response' || kind === 'conversation' || kind === 'prompt' || kind === 'item',
  );
  if (hasUnseen) return caps.contextWindow;
  const media = counts.images * caps.perImage + counts.audios * caps.perAudio + counts.files * caps.perFile;
  const bound = counts.textBytes + media + caps.preamble;
  // Several prompts in one body each have a window of their own.
  const isBatch = request.endpoint === 'embeddings' || request.endpoint === 'completions';
  return isBatch ? bound : Math.min(bound, caps.contextWindow);
}

/** The most output tokens that the request can be billed for; a predicted output's rejected tokens count too. */
export function outputBound(request: InferenceRequest, caps: TokenCaps): number {
  const { endpoint } = request;
  if (endpoint === 'embeddings' || endpoint === 'count_tokens' || endpoint === 'response_tokens') return 0;
  const each = Math.min(request.maxOutputTokens ?? caps.maxOutput, caps.maxOutput);
  const rounds = request.hostedTools.length > 0 ? Math.max(1, caps.hostedRounds) : 1;
  return (
    request.choices * each * rounds + Math.min(request.predictionBytes, caps.maxOutput) * request.choices
  );
}
