// Owns reading a provider's answer as it passes: where it ends, what it cost, what it made at the provider.

import { isObject } from '../json.ts';
import { noUsage, type TokenUsage } from '../metering/usage.ts';
import { createTextCounter } from './answer-text.ts';
import type { EndpointId } from './endpoints.ts';
import { type NoteMade, noteCited, noteMadeIn, recordsOf } from './made-in-answer.ts';
import type { JsonRecord } from './request-builder.ts';
import { eventsOf, type SseBatch } from './sse.ts';
import { createTerminalFinder, mayMatter } from './terminal.ts';
import { mergeUsage, readUsage, type UsageOfModels } from './usage.ts';
import type { AnswerEnding, AnswerReport, CreatedStateKind } from './usage-types.ts';

/**
 * The most characters that one token stands for: the longest of any vocabulary that is published (o200k_base,
 * cl100k_base, Llama 3) are runs of 128 blanks or dashes. An answer of more than so many for each token of a limit is
 * certainly beyond it.
 */
export const mostCharactersOfToken = 128;

/** What stands in for a count that the provider did not give. */
export type Estimates = {
  /** Tokens of the request's input, counted or bounded by us. */
  readonly inputTokens: number;
  /** Characters of generated text for each token: 4 is usual; no token has more than `mostCharactersOfToken`. */
  readonly charactersPerToken: number;
};

type Notes = {
  ending: AnswerEnding;
  usage: JsonRecord | undefined;
  /** The provider has said its last word on usage. */
  isFinal: boolean;
  servedModel: string | undefined;
  responseId: string | undefined;
  serviceTier: string | undefined;
  passed: JsonRecord | undefined;
  readonly created: Map<string, { readonly kind: CreatedStateKind; readonly id: string }>;
};

function newNotes(): Notes {
  return {
    ending: 'cut',
    usage: undefined,
    isFinal: false,
    servedModel: undefined,
    responseId: undefined,
    serviceTier: undefined,
    passed: undefined,
    created: new Map(),
  };
}

function isAnthropic(endpoint: EndpointId): boolean {
  return endpoint === 'messages' || endpoint === 'count_tokens';
}

function isUnbilled(endpoint: EndpointId): boolean {
  return (
    endpoint === 'count_tokens' ||
    endpoint === 'response_tokens' ||
    endpoint === 'models' ||
    endpoint === 'response_object'
  );
}

/** An id that can be named again in a request's path or body, and kept by any database. */
export const isStorable = (id: string): boolean =>
  id !== '' && id.length <= 256 && id.isWellFormed() && !id.includes('\u0000');

function noteCreated(notes: Notes, kind: CreatedStateKind, id: unknown): void {
  if (typeof id === 'string' && isStorable(id)) notes.created.set(`${kind} ${id}`, { kind, id });
}

const noteIn =
  (notes: Notes): NoteMade =>
  (kind, id) =>
    noteCreated(notes, kind, id);

/** Reads what an answer object says of itself: a whole body, or the `message` or `response` inside an event. */
function noteAnswer(notes: Notes, endpoint: EndpointId, answer: JsonRecord): void {
  if (typeof answer.id === 'string' && answer.id !== '') {
    notes.responseId = answer.id;
    if (answer.object === 'response' || answer.type === 'message') noteCreated(notes, 'response', answer.id);
    else if (endpoint === 'chat') noteCreated(notes, 'completion', answer.id);
  }
  if (typeof answer.model === 'string' && answer.model !== '') notes.servedModel = answer.model;
  if (typeof answer.service_tier === 'string') notes.serviceTier = answer.service_tier;
  if (isObject(answer.container)) noteCreated(notes, 'container', answer.container.id);
  if (isObject(answer.conversation)) noteCreated(notes, 'conversation', answer.conversation.id);
  if (isObject(answer.usage)) {
    notes.usage = mergeUsage(notes.usage, answer.usage);
    if (typeof answer.usage.service_tier === 'string') notes.serviceTier = answer.usage.service_tier;
  }
  for (const item of recordsOf(answer.output)) {
    noteCreated(notes, 'item', item.id);
    noteMadeIn(item, noteIn(notes));
  }
  for (const block of recordsOf(answer.content)) noteMadeIn(block, noteIn(notes));
}

function noteEvent(notes: Notes, endpoint: EndpointId, event: JsonRecord): void {
  if (isObject(event.message)) noteAnswer(notes, endpoint, event.message);
  else if (isObject(event.response)) {
    noteAnswer(notes, endpoint, event.response);
    if (isObject(event.response.usage)) notes.isFinal = true;
  } else {
    noteAnswer(notes, endpoint, event);
    if (isObject(event.usage)) notes.isFinal = true;
  }
  if (isObject(event.delta) && isObject(event.delta.container)) {
    noteCreated(notes, 'container', event.delta.container.id);
  }
  if (isObject(event.content_block)) noteMadeIn(event.content_block, noteIn(notes));
  if (isObject(event.annotation)) noteCited(event.annotation, noteIn(notes));
  if (isObject(event.item)) {
    noteCreated(notes, 'item', event.item.id);
    noteMadeIn(event.item, noteIn(notes));
  }
}

function estimated(known: TokenUsage, characters: number, estimates: Estimates): TokenUsage {
  const hasInput = known.input + known.cachedInput + known.cacheWrite5m + known.cacheWrite1h > 0;
  const made = Math.ceil(characters / Math.max(estimates.charactersPerToken, 0.25));
  return {
    ...known,
    input: hasInput ? known.input : Math.max(0, Math.ceil(estimates.inputTokens)),
    output: Math.max(known.output, made - known.reasoning),
  };
}

function toReport(
  notes: Notes,
  endpoint: EndpointId,
  characters: number,
  estimates: Estimates,
): AnswerReport {
  const nothing: UsageOfModels = { usage: noUsage, otherModels: [], webSearches: 0 };
  const isKnown = notes.usage !== undefined && !isUnbilled(endpoint);
  const read = isKnown && notes.usage !== undefined ? readUsage(notes.usage, isAnthropic(endpoint)) : nothing;
  const isEstimate = !notes.isFinal && !isUnbilled(endpoint);
  return {
    ...read,
    ending: notes.ending,
    usage: isEstimate ? estimated(read.usage, characters, estimates) : read.usage,
    estimated: isEstimate,
    servedModel: notes.servedModel,
    responseId: notes.responseId,
    // What an endpoint that is passed through answers may be what its caller wrote: see kept-paths.ts.
    createdState: endpoint === 'passthrough' ? [] : [...notes.created.values()],
    passed: notes.passed,
    serviceTier: notes.serviceTier,
  };
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/**
 * An embeddings answer is nearly all vectors: its usage, at the end, is read without parsing them. What follows
 * the usage must close the body, or the body was cut.
 */
function parseTail(text: string): unknown {
  const at = text.lastIndexOf('"usage"');
  const open = text.indexOf('{', at);
  const close = text.indexOf('}', open);
  if (at < 0 || open < 0 || close < 0) return undefined;
  const tail = parse(`{"usage":${text.slice(open)}`);
  return isObject(tail) && isObject(tail.usage) ? { usage: tail.usage } : undefined;
}

const vectorBytes = 64 * 1024;

/** Endpoints whose answer may hold an `error` that is not its own: that of a stored response, or of who knows what. */
function reportsOthers(endpoint: EndpointId): boolean {
  return endpoint === 'response_object' || endpoint === 'passthrough';
}

function endingOf(endpoint: EndpointId, answer: unknown): AnswerEnding {
  if (!isObject(answer)) return endpoint === 'passthrough' && answer !== undefined ? 'whole' : 'cut';
  const hasError = answer.error !== undefined && answer.error !== null;
  return hasError && !reportsOthers(endpoint) ? 'error' : 'whole';
}

/**
 * Reads a whole answer (not a stream). `text` is the decoded body; one that is not JSON is `cut`, and its usage
 * an estimate.
 */
export function readAnswer(endpoint: EndpointId, text: string, estimates: Estimates): AnswerReport {
  const notes = newNotes();
  const tail = endpoint === 'embeddings' && text.length > vectorBytes ? parseTail(text) : undefined;
  const answer = tail ?? parse(text);
  notes.ending = endingOf(endpoint, answer);
  if (isObject(answer)) {
    noteAnswer(notes, endpoint, answer);
    notes.isFinal = isObject(answer.usage);
    if (endpoint === 'passthrough') notes.passed = answer;
  }
  return toReport(notes, endpoint, notes.isFinal ? 0 : text.length, estimates);
}

export type AnswerReader = {
  /** Reads a batch; answers the offset of the first terminal byte in it, or its length when all of it may pass. */
  readonly read: (batch: SseBatch) => number;
  /** How the answer ends if nothing more comes. */
  readonly ending: () => AnswerEnding;
  /** What is known so far; complete once the stream has ended. */
  readonly report: (estimates: Estimates) => AnswerReport;
};

/**
 * Follows a stream of answers. After the first terminal byte `read` answers 0 for every batch: the gateway
 * holds those bytes until the outcome is recorded, and goes on reading for the usage that follows.
 */
export function createAnswerReader(
  endpoint: EndpointId,
  choices: number,
  decodeUtf8: (bytes: Uint8Array) => string,
): AnswerReader {
  const notes = newNotes();
  const endAt = createTerminalFinder(endpoint, Math.max(1, choices));
  const countText = createTextCounter(endpoint);
  let characters = 0;
  let hasEnded = false;
  // Only its provider knows how a stream of another endpoint ends.
  if (endpoint === 'passthrough') notes.ending = 'whole';

  const readEvents = (batch: SseBatch): number => {
    let passable = batch.bytes.length;
    for (const event of eventsOf(batch, decodeUtf8)) {
      const value = event.data === '' ? undefined : parse(event.data);
      if (isObject(value)) {
        noteEvent(notes, endpoint, value);
        // The first event of `POST /v1/threads/runs`, streamed: the thread that was made.
        if (endpoint === 'passthrough' && value.object === 'thread') notes.passed ??= value;
      }
      const end = endAt(event.name, event.data, value);
      if (end === 'error') notes.ending = end;
      else if (end === 'whole' && notes.ending === 'cut') notes.ending = end;
      if (hasEnded || end === 'open') continue;
      hasEnded = true;
      passable = event.start;
    }
    return passable;
  };

  const read = (batch: SseBatch): number => {
    if (!hasEnded) characters += countText(batch.text);
    const wasEnded = hasEnded;
    const isDull = notes.responseId !== undefined && !mayMatter(batch.text);
    const passable = isDull ? batch.bytes.length : readEvents(batch);
    return wasEnded ? 0 : passable;
  };

  const report = (estimates: Estimates): AnswerReport => {
    // Some providers count in every event: such a count is the last one only if the answer has ended.
    const isFinal = notes.isFinal && hasEnded;
    return toReport({ ...notes, isFinal }, endpoint, characters, estimates);
  };

  return { read, ending: () => notes.ending, report };
}
