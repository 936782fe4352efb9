// Owns reading a provider's answer as it passes: where it ends, what it cost, what it made at the provider.

import { isObject } from '../json.ts';
import { newNotes, noteAnswer, noteEvent } from './answer-notes.ts';
import { type Estimates, toReport } from './answer-report.ts';
import { createTextCounter, writtenIn } from './answer-text.ts';
import type { EndpointId } from './endpoints.ts';
import { eventsOf, type SseBatch } from './sse.ts';
import { createTerminalFinder, mayMatter } from './terminal.ts';
import { usageOf } from './usage.ts';
import type { AnswerEnding, AnswerReport } from './usage-types.ts';

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
    notes.isFinal = usageOf(answer) !== undefined;
    if (endpoint === 'passthrough') notes.passed = answer;
  }
  const written = isObject(answer) ? writtenIn(answer) : undefined;
  return toReport(notes, endpoint, written ?? text.length, estimates);
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
