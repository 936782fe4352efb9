// Owns reducing what was noted of an answer to its report: the provider's word on usage, or our estimate, flagged.

import { noUsage, type TokenUsage } from '../metering/usage.ts';
import type { Notes } from './answer-notes.ts';
import { type CallModes, noModes, readModes } from './call-modes.ts';
import type { EndpointId } from './endpoints.ts';
import { hasCount, readUsage, totalTokens, type UsageOfModels } from './usage.ts';
import type { AnswerReport } from './usage-types.ts';

/**
 * The most bytes of text that one token stands for: the longest of any vocabulary that is published (o200k_base,
 * cl100k_base, Llama 3) are runs of 128 blanks or dashes. An answer of more than so many for each token of a limit is
 * certainly beyond it.
 */
export const mostBytesOfToken = 128;

/** What stands in for a count that the provider did not give. */
export type Estimates = {
  /** Tokens of the request's input, counted or bounded by us. */
  readonly inputTokens: number;
  /** Bytes of generated text for each token: 4 is usual; no token has more than `mostBytesOfToken`. */
  readonly bytesPerToken: number;
  /** What the provider was told to hold the answer to: more is not estimated. */
  readonly mostOutputTokens?: number;
};

const unbilled: ReadonlySet<EndpointId> = new Set([
  'count_tokens',
  'response_tokens',
  'models',
  'response_object',
]);

/** Endpoints whose answers are generated text. */
const generating: ReadonlySet<EndpointId> = new Set([
  'chat',
  'completions',
  'responses',
  'response_compact',
  'messages',
]);

function estimated(known: TokenUsage, endpoint: EndpointId, bytes: number, estimates: Estimates): TokenUsage {
  const heard = known.input + known.cachedInput + known.cacheWrite5m + known.cacheWrite1h + known.audioInput;
  const written = Math.ceil(bytes / Math.max(estimates.bytesPerToken, 0.25));
  const made = Math.min(written, estimates.mostOutputTokens ?? written);
  return {
    ...known,
    input: heard > 0 ? known.input : Math.max(0, Math.ceil(estimates.inputTokens)),
    // Vectors are not generated.
    output: endpoint === 'embeddings' ? known.output : Math.max(known.output, made - known.reasoning),
  };
}

/**
 * True where the provider's count is its word: it counts something, and whatever was generated is counted. Zeros, texts
 * and names that we do not know beside an answer that says something are no count.
 */
function isWord(notes: Notes, endpoint: EndpointId, usage: TokenUsage, bytes: () => number): boolean {
  if (!notes.isFinal || notes.usage === undefined) return false;
  if (!generating.has(endpoint)) return totalTokens(usage) > 0;
  if (usage.output + usage.reasoning + usage.audioOutput > 0) return true;
  return bytes() === 0 && hasCount(notes.usage);
}

/** OpenAI tells the tier beside the usage; Anthropic tells tier, speed and region within it. */
function modesOf({ serviceTier, usage }: Notes, endpoint: EndpointId): CallModes {
  const read = endpoint === 'messages' && usage !== undefined ? readModes('anthropic', usage) : noModes;
  return serviceTier === undefined ? read : { ...read, serviceTier: serviceTier.toLowerCase() };
}

const nothing: UsageOfModels = { usage: noUsage, otherModels: [], webSearches: 0 };

/** The report of an answer that wrote so many bytes of text, which are counted where the provider's count is not its word. */
export function toReport(
  notes: Notes,
  endpoint: EndpointId,
  bytes: () => number,
  estimates: Estimates,
): AnswerReport {
  const isBilled = !unbilled.has(endpoint);
  const read =
    isBilled && notes.usage !== undefined ? readUsage(notes.usage, !generating.has(endpoint)) : nothing;
  const isEstimate = isBilled && !isWord(notes, endpoint, read.usage, bytes);
  return {
    otherModels: read.otherModels,
    webSearches: read.webSearches,
    ending: notes.ending,
    usage: isEstimate ? estimated(read.usage, endpoint, bytes(), estimates) : read.usage,
    estimated: isEstimate,
    servedModel: notes.servedModel,
    responseId: notes.responseId,
    // What an endpoint that is passed through answers may be what its caller wrote: see kept-paths.ts.
    createdState: endpoint === 'passthrough' ? [] : [...notes.created.values()],
    passed: notes.passed,
    modes: modesOf(notes, endpoint),
  };
}
