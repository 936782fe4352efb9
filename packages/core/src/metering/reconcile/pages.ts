// Owns the pages of usage that OpenAI's and Anthropic's administration APIs answer with, as lines of a bill.

import { z } from 'zod';
import { issueText } from '../../issue-text.ts';
import { isObject } from '../../json.ts';
import { dayMs } from '../period.ts';
import type { Told } from './amounts.ts';
import { BillError, type BillForm, type BillLine, type BillPage, momentText, type Span } from './bill.ts';

const count = z.int().min(0);
const name = z.string().min(1);
const split = { api_key_id: name.nullish() } as const;

/** Seconds since 1970-01-01 UTC, up to the year 9999. */
const seconds = z.int().min(0).max(253_402_300_799);

const openAiBucket = z.looseObject({
  start_time: seconds,
  end_time: seconds,
  results: z.array(z.unknown()),
});

const openAiCompletions = z.looseObject({
  ...split,
  model: name.nullish(),
  num_model_requests: count,
  input_tokens: count,
  output_tokens: count,
  input_cached_tokens: count.nullish(),
  input_cache_write_tokens: count.nullish(),
});

const openAiEmbeddings = z.looseObject({
  ...split,
  model: name.nullish(),
  num_model_requests: count,
  input_tokens: count,
});

const anthropicBucket = z.looseObject({
  starting_at: z.iso.datetime({ offset: true }),
  ending_at: z.iso.datetime({ offset: true }),
  results: z.array(z.unknown()),
});

const anthropicResult = z.looseObject({
  ...split,
  model: name.nullish(),
  uncached_input_tokens: count,
  cache_read_input_tokens: count,
  cache_creation: z.looseObject({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count }),
  output_tokens: count,
});

const page = z.looseObject({ data: z.array(z.unknown()), has_more: z.boolean() });

/** Where a value stands in a file, for messages: the file's name and the members that lead to it. */
type Place = { readonly file: string; readonly path: string };

function parsed<S extends z.ZodType>(schema: S, value: unknown, { file, path }: Place): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = [path, ...(issue?.path ?? [])].filter((part) => part !== '').join('.');
  const what = issue === undefined ? 'does not fit' : issueText(issue);
  throw new BillError(`\`${file}\`: \`${where}\` ${what}`);
}

/** What splits the lines of a bucket beside the model: every member of a result that is a name or a flag. */
function splitOf(result: { readonly [member: string]: unknown }): string {
  return Object.entries(result)
    .filter(([member, value]) => member !== 'model' && member !== 'object' && /^[sb]/.test(typeof value))
    .map(([member, value]) => `${member}=${String(value)}`)
    .toSorted()
    .join(' ');
}

type Result = { readonly model?: string | null | undefined; readonly api_key_id?: string | null | undefined };

function lineOf<R extends Result>(span: Span, result: R, place: Place, told: Told): BillLine {
  const { model, api_key_id: apiKey } = result;
  if (model === undefined || model === null)
    throw new BillError(
      `\`${place.file}\`: \`${place.path}\` names no model: fetch the report with \`group_by\` \`model\``,
    );
  return { ...span, model, apiKey: apiKey ?? undefined, split: splitOf({ ...result }), told };
}

function openAiCompletionsLine(span: Span, value: unknown, place: Place): BillLine {
  const result = parsed(openAiCompletions, value, place);
  const [input, cached, written] = [
    BigInt(result.input_tokens),
    BigInt(result.input_cached_tokens ?? 0),
    result.input_cache_write_tokens,
  ];
  return lineOf(span, result, place, {
    requests: BigInt(result.num_model_requests),
    input,
    cached,
    cacheWrite: written === undefined || written === null ? undefined : BigInt(written),
    output: BigInt(result.output_tokens),
  });
}

function openAiEmbeddingsLine(span: Span, value: unknown, place: Place): BillLine {
  const result = parsed(openAiEmbeddings, value, place);
  const told = { requests: BigInt(result.num_model_requests), input: BigInt(result.input_tokens) };
  return lineOf(span, result, place, told);
}

function anthropicLine(span: Span, value: unknown, place: Place): BillLine {
  const result = parsed(anthropicResult, value, place);
  const { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long } = result.cache_creation;
  const cached = BigInt(result.cache_read_input_tokens);
  const cacheWrite = BigInt(short) + BigInt(long);
  return lineOf(span, result, place, {
    input: BigInt(result.uncached_input_tokens) + cached + cacheWrite,
    cached,
    cacheWrite,
    output: BigInt(result.output_tokens),
  });
}

const lineReaders: {
  readonly [form: string]: (span: Span, value: unknown, place: Place) => BillLine;
} = {
  'openai-completions': openAiCompletionsLine,
  'openai-embeddings': openAiEmbeddingsLine,
  'anthropic-messages': anthropicLine,
};

function spanOf(
  form: BillForm,
  bucket: unknown,
  place: Place,
): Span & { readonly results: readonly unknown[] } {
  if (form === 'anthropic-messages') {
    const { starting_at, ending_at, results } = parsed(anthropicBucket, bucket, place);
    return { startMs: Date.parse(starting_at), endMs: Date.parse(ending_at), results };
  }
  const { start_time, end_time, results } = parsed(openAiBucket, bucket, place);
  return { startMs: start_time * 1000, endMs: end_time * 1000, results };
}

function isOneDay({ startMs, endMs }: Span): boolean {
  return endMs > startMs && Math.floor(startMs / dayMs) === Math.floor((endMs - 1) / dayMs);
}

/** Reads one page of a report. `path` is where it stands in its file. Throws a BillError. */
export function readPage(form: BillForm, file: string, value: unknown, path: string): BillPage {
  const { data, has_more: hasMore } = parsed(page, value, { file, path });
  const spans: Span[] = [];
  const lines: BillLine[] = [];
  for (const [at, bucket] of data.entries()) {
    const place = { file, path: [path, 'data', at].filter((part) => part !== '').join('.') };
    const { results, ...span } = spanOf(form, bucket, place);
    if (!isOneDay(span))
      throw new BillError(
        `\`${file}\`: the bucket from ${momentText(span.startMs)} to ${momentText(span.endMs)} lies in more than one UTC day, or in none: fetch the report with \`bucket_width\` \`1d\` or less`,
      );
    spans.push(span);
    for (const [n, result] of results.entries()) {
      const line = lineReaders[form]?.(span, result, { file, path: `${place.path}.results.${n}` });
      if (line !== undefined) lines.push(line);
    }
  }
  return { form, file, spans, lines, hasMore };
}

/** What the buckets of a page are of, by what their results have; undefined for what is no page of a usage. */
export function formOfPage(value: unknown): BillForm | undefined {
  if (!isObject(value) || !Array.isArray(value.data)) return undefined;
  const buckets = value.data.filter(isObject);
  const results = buckets.flatMap(({ results: each }) => (Array.isArray(each) ? each : [])).filter(isObject);
  const [first] = results;
  if (first?.object === 'organization.usage.completions.result') return 'openai-completions';
  if (first?.object === 'organization.usage.embeddings.result') return 'openai-embeddings';
  if (first?.object !== undefined) return undefined;
  return buckets.some(({ starting_at }) => starting_at !== undefined) &&
    (first === undefined || first.uncached_input_tokens !== undefined)
    ? 'anthropic-messages'
    : undefined;
}

/** True for a page of OpenAI's in which nothing was used: of which of its reports cannot be told. */
export function isEmptyOpenAiPage(value: unknown): boolean {
  if (!isObject(value) || !Array.isArray(value.data)) return false;
  return value.data.every(
    (bucket) =>
      isObject(bucket) &&
      bucket.start_time !== undefined &&
      Array.isArray(bucket.results) &&
      bucket.results.length === 0,
  );
}
