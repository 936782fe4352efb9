// Owns reading a provider's answer as it passes: where it ends, what it cost, what it made at the provider.

import { isObject } from '../json.ts';
import { parseJson } from '../parse-json.ts';
import { newNotes, noteAnswer, noteEvent } from './answer-notes.ts';
import { type Estimates, toReport } from './answer-report.ts';
import { Skim } from './answer-skim.ts';
import { createTextCounter, writtenIn } from './answer-text.ts';
import type { EndpointId } from './endpoints.ts';
import { dataOf, eventsOf, type SseBatch, type SseEvent } from './sse.ts';
import { createTerminalFinder, mayMatter } from './terminal.ts';
import { usageOf } from './usage.ts';
import type { AnswerEnding, AnswerReport } from './usage-types.ts';

function parse(text: string): unknown {
  try {
    const value: unknown = parseJson(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Endpoints whose answer may hold an `error` that is not its own: that of a stored response, or of who knows what. */
function reportsOthers(endpoint: EndpointId): boolean {
  return endpoint === 'response_object' || endpoint === 'passthrough';
}

function endingOf(endpoint: EndpointId, answer: unknown): AnswerEnding {
  if (!isObject(answer)) return endpoint === 'passthrough' && answer !== undefined ? 'whole' : 'cut';
  const hasError = answer.error !== undefined && answer.error !== null;
  return hasError && !reportsOthers(endpoint) ? 'error' : 'whole';
}

function reportOf(
  endpoint: EndpointId,
  answer: unknown,
  length: number,
  estimates: Estimates,
  isSkimmed: boolean,
): AnswerReport {
  const notes = newNotes();
  notes.ending = endingOf(endpoint, answer);
  if (isObject(answer)) {
    noteAnswer(notes, endpoint, answer);
    notes.isFinal = usageOf(answer) !== undefined;
    if (endpoint === 'passthrough') notes.passed = answer;
  }
  const written = (): number => (isObject(answer) && !isSkimmed ? writtenIn(answer) : undefined) ?? length;
  return toReport(notes, endpoint, written, estimates);
}

/**
 * Reads a whole answer (not a stream). `text` is the decoded body; one that is not JSON is `cut`, and its usage
 * an estimate.
 */
export function readAnswer(endpoint: EndpointId, text: string, estimates: Estimates): AnswerReport {
  return reportOf(endpoint, parse(text), text.length, estimates, false);
}

/** Bytes up to which an answer, or an event, is parsed as it is: whatever it holds, that takes a few milliseconds. */
export const mostParsedBytes = 64 * 1024;

/** Reads a whole answer while it comes. */
export type AnswerBody = {
  /** Takes the next bytes; false where the answer is to be refused: it has more values than any whose ids are read. */
  readonly push: (chunk: Uint8Array) => boolean;
  /** What the answer says, once it has ended. Throws where it is not UTF-8. */
  readonly report: (estimates: Estimates) => AnswerReport;
};

/** A class because each answer makes one. */
class WholeAnswer implements AnswerBody {
  readonly #endpoint: EndpointId;
  readonly #decodeUtf8: (bytes: Uint8Array) => string;
  readonly #mostParsed: number;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #skim: Skim | undefined;

  constructor(endpoint: EndpointId, decodeUtf8: (bytes: Uint8Array) => string, mostParsed: number) {
    this.#endpoint = endpoint;
    this.#decodeUtf8 = decodeUtf8;
    this.#mostParsed = mostParsed;
  }

  push(chunk: Uint8Array): boolean {
    this.#length += chunk.length;
    if (this.#skim === undefined) {
      this.#pieces.push(chunk);
      if (this.#length <= this.#mostParsed) return true;
      this.#skim = new Skim();
      for (const piece of this.#pieces) this.#skim.push(piece);
      this.#pieces = [];
    } else this.#skim.push(chunk);
    return this.#endpoint === 'passthrough' || !this.#skim.isFull();
  }

  report(estimates: Estimates): AnswerReport {
    if (this.#skim === undefined) {
      const text = this.#decodeUtf8(concat(this.#pieces, this.#length));
      return readAnswer(this.#endpoint, text, estimates);
    }
    const skimmed = this.#skim.end();
    const answer = skimmed.kind === 'too_many' ? {} : parse(this.#decodeUtf8(skimmed.json));
    return reportOf(this.#endpoint, answer, this.#length, estimates, true);
  }
}

/**
 * Follows a whole answer, of which nothing is parsed beyond `mostParsed` bytes: from there on the members that matter
 * are skimmed out of its pieces as they come, so that no answer holds up the others, whatever it is made of. An answer
 * of too many values where ids stand is refused. INVARIANT: never passed unread, or what it made would be known to its
 * caller alone and be nobody's. What an endpoint that is passed through answers may have any form: it passes, makes
 * nothing, and its usage is an estimate.
 */
export function createAnswerBody(
  endpoint: EndpointId,
  decodeUtf8: (bytes: Uint8Array) => string,
  mostParsed: number = mostParsedBytes,
): AnswerBody {
  return new WholeAnswer(endpoint, decodeUtf8, mostParsed);
}

function concat(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export type AnswerReader = {
  /** Reads a batch; answers the offset of the first terminal byte in it, or its length when all of it may pass. */
  readonly read: (batch: SseBatch) => number;
  /** How the answer ends if nothing more comes. */
  readonly ending: () => AnswerEnding;
  /** What is known so far; complete once the stream has ended. */
  readonly report: (estimates: Estimates) => AnswerReport;
};

/** Stands for an event of more values than any that we know: what cannot be read is held, not passed. */
const tooMany = Symbol('too many values');

/** The data of an event; of a large one what matters. */
function readEvent(bytes: Uint8Array, event: SseEvent, decodeUtf8: (bytes: Uint8Array) => string): unknown {
  if (event.data.length <= mostParsedBytes) return event.data === '' ? undefined : parse(event.data);
  const skim = new Skim();
  for (const data of dataOf(bytes, event)) skim.push(data);
  const skimmed = skim.end();
  return skimmed.kind === 'too_many' ? tooMany : parse(decodeUtf8(skimmed.json));
}

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
  let written = 0;
  let hasEnded = false;
  // Only its provider knows how a stream of another endpoint ends.
  if (endpoint === 'passthrough') notes.ending = 'whole';

  const readEvents = (batch: SseBatch): number => {
    let passable = batch.bytes.length;
    for (const event of eventsOf(batch, decodeUtf8)) {
      const value = readEvent(batch.bytes, event, decodeUtf8);
      if (isObject(value)) {
        noteEvent(notes, endpoint, value);
        // The first event of `POST /v1/threads/runs`, streamed: the thread that was made.
        if (endpoint === 'passthrough' && value.object === 'thread') notes.passed ??= value;
      }
      const end = value === tooMany ? 'held' : endAt(event.name, event.data, value);
      if (end === 'error') notes.ending = end;
      else if (end === 'whole' && notes.ending === 'cut') notes.ending = end;
      if (hasEnded || end === 'open') continue;
      hasEnded = true;
      passable = event.start;
    }
    return passable;
  };

  const read = (batch: SseBatch): number => {
    if (!hasEnded) written += countText(batch.text);
    const wasEnded = hasEnded;
    // A provider may fill a stream with empty lines and comments.
    const isOver = notes.responseId !== undefined || !batch.text.includes('data');
    const isDull = isOver && !mayMatter(batch.text);
    const passable = isDull ? batch.bytes.length : readEvents(batch);
    return wasEnded ? 0 : passable;
  };

  const report = (estimates: Estimates): AnswerReport => {
    // Some providers count in every event: such a count is the last one only if the answer has ended.
    const isFinal = notes.isFinal && hasEnded;
    return toReport({ ...notes, isFinal }, endpoint, () => written, estimates);
  };

  return { read, ending: () => notes.ending, report };
}
