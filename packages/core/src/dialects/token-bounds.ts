// Owns the worst case of a request in tokens, which budgets reserve before it is sent, and which fields bound it.

import type { Provider } from '../directory/objects.ts';
import type { EndpointId } from './endpoints.ts';
import type { InferenceRequest, TokenLimitField } from './request-types.ts';

const noLimitFields: readonly TokenLimitField[] = [];
const limitFields: ReadonlyMap<string, readonly TokenLimitField[]> = new Map([
  ['chat', ['max_completion_tokens', 'max_tokens']],
  ['completions', ['max_tokens']],
  ['responses', ['max_output_tokens']],
  ['messages', ['max_tokens']],
] satisfies readonly (readonly [string, readonly TokenLimitField[]])[]);

/**
 * The fields by which this endpoint's own definition bounds an answer, the one to write first. A limit under another
 * endpoint's name is one that the provider ignores: it bounds nothing.
 */
export function limitFieldsOf(endpoint: EndpointId): readonly TokenLimitField[] {
  return limitFields.get(endpoint) ?? noLimitFields;
}

/**
 * True where a provider may pass over the limit of a body: servers that only speak OpenAI's dialect know `max_tokens` of
 * a chat, and many of them nothing of the newer `max_completion_tokens`. What holds there is what we hold ourselves.
 */
export function mayIgnoreLimit(
  kind: Provider['kind'],
  { endpoint, namesMaxTokens }: Pick<InferenceRequest, 'endpoint' | 'namesMaxTokens'>,
): boolean {
  return kind === 'openai_compatible' && endpoint === 'chat' && !namesMaxTokens;
}

/** What a model can take and make, in tokens; from the catalogue of models. */
export type TokenCaps = {
  readonly contextWindow: number;
  /** What stands in where a request names no limit; a stream is cut there. A limit that it names is its own bound. */
  readonly maxOutput: number;
  /** To what policy has the limits of the body lowered, where an endpoint has such limits. */
  readonly lowered?: number | undefined;
  /** Whose model it is: whether it holds to every limit of a body depends on that. */
  readonly kind: Provider['kind'];
  /** The most that one picture, recording or file can count for. */
  readonly perImage: number;
  readonly perAudio: number;
  readonly perFile: number;
  /** What a provider adds of its own: preambles for tools, message frames beyond the JSON around them. */
  readonly preamble: number;
  /** How many times a provider that runs its own tools may read the whole context again. */
  readonly hostedRounds: number;
};

/** The most that a picture counts for at Anthropic: 4,784 for the models that see most (its page of vision, 2026-11). */
const anthropicPicture = 8_192;
/**
 * At OpenAI (its page of images and vision, 2026-11): pictures in patches count 10,000 at the most, times 2.46 for the
 * smallest models; in tiles 85 + 8 × 170, and for gpt-4o-mini 2,833 + 8 × 5,667 = 48,169.
 */
const openaiPicture = 32_768;
const dearestPicture = 65_536;

/**
 * The most tokens that one picture is billed for, by the provider's kind and its name for the model. A provider that
 * only speaks OpenAI's dialect may have any of these models, under any name.
 */
export function pictureCap(kind: Provider['kind'], model: string): number {
  if (kind === 'anthropic') return anthropicPicture;
  return kind === 'openai' && !model.toLowerCase().includes('4o-mini') ? openaiPicture : dearestPicture;
}

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

/**
 * The bound of one answer: the request's own limit in full, else the ceiling; lowered where the body is. What is passed
 * through may know its limits under other names, and a provider may not know the name of this one: then the larger of
 * both.
 */
function eachBound(request: InferenceRequest, { maxOutput, lowered, kind }: TokenCaps): number {
  const { endpoint, maxOutputTokens } = request;
  // What policy writes into the body would be passed over in the same way.
  if (endpoint === 'passthrough' || mayIgnoreLimit(kind, request))
    return Math.max(maxOutputTokens ?? 0, maxOutput);
  const own = maxOutputTokens ?? maxOutput;
  return lowered === undefined || limitFieldsOf(endpoint).length === 0 ? own : Math.min(own, lowered);
}

/** The most output tokens that the request can be billed for; a predicted output's rejected tokens count too. */
export function outputBound(request: InferenceRequest, caps: TokenCaps): number {
  const { endpoint } = request;
  if (endpoint === 'embeddings' || endpoint === 'count_tokens' || endpoint === 'response_tokens') return 0;
  const rounds = request.hostedTools.length > 0 ? Math.max(1, caps.hostedRounds) : 1;
  const predicted = Math.min(request.predictionBytes, caps.contextWindow);
  const bound = request.choices * (eachBound(request, caps) * rounds + predicted);
  return Math.min(bound, Number.MAX_SAFE_INTEGER);
}
