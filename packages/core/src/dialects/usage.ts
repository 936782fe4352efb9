// Owns reading the providers' own counts of tokens, in every shape, into buckets that never overlap.

import { isObject } from '../json.ts';
import { noUsage, type TokenUsage } from '../metering/usage.ts';
import type { JsonRecord } from './request-builder.ts';

/** The most tokens that an answer is believed to count: far above any, so that sums of counts stay whole in every record and table. */
const mostCount = 2 ** 40;

/** A count: a whole number that is not negative. Anything else counts as none. */
function count(object: unknown, key: string): number {
  if (!isObject(object)) return 0;
  const value = object[key];
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
    ? Math.min(value, mostCount)
    : 0;
}

/** No sum of counts goes beyond what one can be. */
const sum = (a: number, b: number): number => Math.min(a + b, mostCount);

/** Tokens read from a cache, by OpenAI's name, DeepSeek's or Moonshot's. */
function cachedIn(usage: JsonRecord, details: unknown): number {
  return (
    count(details, 'cached_tokens') ||
    count(usage, 'prompt_cache_hit_tokens') ||
    count(usage, 'cached_tokens')
  );
}

/**
 * What a total has beside input and output is reasoning that is not in the output: xAI and Gemini's OpenAI form count
 * so. Where they say how much was reasoned, no more than that.
 */
function besideOutput(total: number, input: number, made: number, reasoned: number): number {
  const beside = Math.max(0, total - input - made);
  return reasoned > 0 ? Math.min(beside, reasoned) : beside;
}

/** The names that OpenAI's two generations of endpoints use for the same things. */
function readOpenAiUsage(usage: JsonRecord, isInputAlone: boolean): TokenUsage {
  const isResponses = usage.input_tokens !== undefined;
  const inputDetails = isResponses ? usage.input_tokens_details : usage.prompt_tokens_details;
  const outputDetails = isResponses ? usage.output_tokens_details : usage.completion_tokens_details;
  const all = count(usage, 'total_tokens');
  const told = count(usage, isResponses ? 'output_tokens' : 'completion_tokens');
  const asked = count(usage, isResponses ? 'input_tokens' : 'prompt_tokens');
  // Without a count of the input, the rest of the total is the input.
  const total = asked > 0 || (told === 0 && !isInputAlone) ? asked : Math.max(0, all - told);
  const written = count(inputDetails, 'cache_write_tokens');
  const details = isObject(inputDetails) ? inputDetails.cache_write_tokens_details : undefined;
  const long = Math.min(count(details, 'ttl_12h_tokens'), written);
  // Each part is taken out of its total, in order and never more than is left.
  const cachedInput = Math.min(cachedIn(usage, inputDetails), total);
  const cacheWrite1h = Math.min(long, total - cachedInput);
  const cacheWrite5m = Math.min(written - long, total - cachedInput - cacheWrite1h);
  const heard = count(inputDetails, 'audio_tokens');
  const audioInput = Math.min(heard, total - cachedInput - cacheWrite1h - cacheWrite5m);
  const input = total - cachedInput - cacheWrite1h - cacheWrite5m - audioInput;
  const reasoned = count(outputDetails, 'reasoning_tokens');
  const beside = total > 0 ? besideOutput(all, total, told, reasoned) : 0;
  const made = told + beside;
  const reasoning = Math.min(Math.max(reasoned, beside), made);
  const audioOutput = Math.min(count(outputDetails, 'audio_tokens'), made - reasoning);
  const output = made - reasoning - audioOutput;
  return { input, cachedInput, cacheWrite5m, cacheWrite1h, audioInput, output, reasoning, audioOutput };
}

/** Anthropic's input count is without the cache; the lifetimes of what was written may be missing, then it is the short one. */
function readAnthropicCounts(usage: JsonRecord): TokenUsage {
  const written = count(usage, 'cache_creation_input_tokens');
  const long = count(usage.cache_creation, 'ephemeral_1h_input_tokens');
  const short = count(usage.cache_creation, 'ephemeral_5m_input_tokens');
  const total = Math.max(written, sum(long, short));
  const made = count(usage, 'output_tokens');
  const reasoning = Math.min(count(usage.output_tokens_details, 'thinking_tokens'), made);
  return {
    ...noUsage,
    input: count(usage, 'input_tokens'),
    cachedInput: count(usage, 'cache_read_input_tokens'),
    cacheWrite5m: total - long,
    cacheWrite1h: long,
    output: made - reasoning,
    reasoning,
  };
}

/** The sum of two counts, bucket by bucket, each no more than a count can be. */
export function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    input: sum(a.input, b.input),
    cachedInput: sum(a.cachedInput, b.cachedInput),
    cacheWrite5m: sum(a.cacheWrite5m, b.cacheWrite5m),
    cacheWrite1h: sum(a.cacheWrite1h, b.cacheWrite1h),
    audioInput: sum(a.audioInput, b.audioInput),
    output: sum(a.output, b.output),
    reasoning: sum(a.reasoning, b.reasoning),
    audioOutput: sum(a.audioOutput, b.audioOutput),
  };
}

/** All tokens of a count. */
export function totalTokens(usage: TokenUsage): number {
  const { input, cachedInput, cacheWrite5m, cacheWrite1h, audioInput, output, reasoning, audioOutput } =
    usage;
  return input + cachedInput + cacheWrite5m + cacheWrite1h + audioInput + output + reasoning + audioOutput;
}

export type UsageOfModels = {
  readonly usage: TokenUsage;
  readonly otherModels: readonly { readonly model: string; readonly usage: TokenUsage }[];
  readonly webSearches: number;
};

/**
 * Anthropic: what the totals leave out is added from `iterations`: compactions are the same model's work;
 * an advisor is another model, billed at its own price.
 */
export function readAnthropicUsage(usage: JsonRecord): UsageOfModels {
  let own = readAnthropicCounts(usage);
  const otherModels: { readonly model: string; readonly usage: TokenUsage }[] = [];
  const iterations: readonly unknown[] = Array.isArray(usage.iterations) ? usage.iterations : [];
  for (const iteration of iterations) {
    if (!isObject(iteration)) continue;
    const counts = readAnthropicCounts(iteration);
    if (iteration.type === 'compaction') own = addUsage(own, counts);
    if (iteration.type === 'advisor_message' && typeof iteration.model === 'string') {
      otherModels.push({ model: iteration.model, usage: counts });
    }
  }
  return { usage: own, otherModels, webSearches: count(usage.server_tool_use, 'web_search_requests') };
}

/** True for Anthropic's form, whose `input_tokens` are without the cache: by its own members, whatever path it came by. */
function isAnthropic(usage: JsonRecord): boolean {
  if (usage.prompt_tokens !== undefined || usage.input_tokens_details !== undefined) return false;
  const { output_tokens_details: details } = usage;
  return (
    usage.cache_read_input_tokens !== undefined ||
    usage.cache_creation_input_tokens !== undefined ||
    usage.cache_creation !== undefined ||
    usage.iterations !== undefined ||
    usage.server_tool_use !== undefined ||
    (isObject(details) && details.thinking_tokens !== undefined)
  );
}

/**
 * Reads a `usage` object of any endpoint: OpenAI chat, completions and embeddings (`prompt_tokens`), responses
 * (`input_tokens` with details), Anthropic messages. `isInputAlone`: a total that stands alone is of the input, since
 * the endpoint generates nothing.
 */
export function readUsage(usage: JsonRecord, isInputAlone: boolean): UsageOfModels {
  if (isAnthropic(usage)) return readAnthropicUsage(usage);
  return { usage: readOpenAiUsage(usage, isInputAlone), otherModels: [], webSearches: 0 };
}

const counts = ['prompt_tokens', 'completion_tokens', 'input_tokens', 'output_tokens'] as const;

/** True where at least one of the counts that we know is a number. */
export function hasCount(usage: JsonRecord): boolean {
  return counts.some((key) => typeof usage[key] === 'number');
}

/** Where an answer or an event says its usage: at its top, or in Groq's or Moonshot's place. */
export function usageOf(answer: JsonRecord): JsonRecord | undefined {
  if (isObject(answer.usage)) return answer.usage;
  if (isObject(answer.x_groq) && isObject(answer.x_groq.usage)) return answer.x_groq.usage;
  const choices: readonly unknown[] = Array.isArray(answer.choices) ? answer.choices : [];
  for (const choice of choices) if (isObject(choice) && isObject(choice.usage)) return choice.usage;
  return undefined;
}

/** Every member of a usage that is read. What else a provider says in each event would only be carried along. */
const read = [
  ...['prompt_tokens', 'completion_tokens', 'input_tokens', 'output_tokens', 'total_tokens'],
  ...['prompt_tokens_details', 'completion_tokens_details', 'input_tokens_details', 'output_tokens_details'],
  ...['prompt_cache_hit_tokens', 'cached_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'],
  ...['cache_creation', 'iterations', 'server_tool_use', 'service_tier', 'speed', 'inference_geo'],
] as const;

/**
 * Merges what a stream says of its usage: of each member that is read its newest value that is not null. Anthropic's
 * counts are cumulative, and the last event leaves out what only the first one has (lifetimes of the cache).
 */
export function mergeUsage(before: JsonRecord | undefined, next: JsonRecord): JsonRecord {
  if (before === undefined) return next;
  const merged: { [key: string]: unknown } = {};
  for (const key of read) {
    const value = next[key] ?? before[key];
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}
