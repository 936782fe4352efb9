// Owns reading a provider's event stream under bounds: whole events pass byte for byte, a malformed one ends the stream.

/** Why a stream was ended. */
export type SseFault =
  | 'event_too_large'
  | 'lone_carriage_return'
  | 'control_character'
  | 'invalid_utf8'
  | 'byte_order_mark';

/**
 * Whole events, in order, as they were sent. `bytes` may hold several; `text` is their decoded form. When
 * `fault` is set, `bytes` holds what preceded the malformed event, and nothing of the stream may follow.
 */
export type SseBatch = {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly fault: SseFault | undefined;
};

/** One event of a batch. `end` is the exclusive offset in the batch's bytes. */
export type SseEvent = {
  readonly start: number;
  readonly end: number;
  /** The last `event` field; empty when there is none. */
  readonly name: string;
  /** The `data` fields joined by line feeds; empty when there is none, as in a comment. */
  readonly data: string;
};

export type SseReader = {
  /** Takes the next bytes of the body; answers the events that they complete. */
  readonly push: (chunk: Uint8Array) => SseBatch;
  /** At the end of the body: what is left without its blank line, which some providers omit after the last event. */
  readonly finish: () => SseBatch;
};

/** The largest event, and so the most that a stream ever holds back (FAULTS row 14). */
export const maxSseEventBytes = 1024 * 1024;

const lf = 0x0a;
const cr = 0x0d;
const colon = 0x3a;
const none = new Uint8Array(0);
const emptyBatch: SseBatch = { bytes: none, text: '', fault: undefined };

/** What must not stand in a stream: controls but tab and line feed; a carriage return only before a line feed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the rule refuses
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\r(?!\n)/;

/** The bytes of an event that is not whole yet, in one growing array: a stream of single bytes costs no more than its length. */
type Held = { bytes: Uint8Array; length: number };

function hold(held: Held, rest: Uint8Array): void {
  const length = held.length + rest.length;
  if (length > held.bytes.length) {
    const grown = new Uint8Array(Math.max(length, held.bytes.length * 2, 1024));
    grown.set(held.bytes.subarray(0, held.length));
    held.bytes = grown;
  }
  held.bytes.set(rest, held.length);
  held.length = length;
}

/** What is held and what follows it, as bytes of their own; nothing is held afterwards. */
function release(held: Held, last: Uint8Array): Uint8Array {
  if (held.length === 0) return last;
  const joined = new Uint8Array(held.length + last.length);
  joined.set(held.bytes.subarray(0, held.length));
  joined.set(last, held.length);
  held.bytes = none;
  held.length = 0;
  return joined;
}

type Decode = (bytes: Uint8Array) => string;

function faultIn(
  bytes: Uint8Array,
  decodeUtf8: Decode,
): { readonly text: string; readonly fault: SseFault | undefined } {
  let text: string;
  try {
    text = decodeUtf8(bytes);
  } catch {
    return { text: '', fault: 'invalid_utf8' };
  }
  const found = forbidden.exec(text);
  if (found === null) return { text, fault: undefined };
  return { text: '', fault: found[0] === '\r' ? 'lone_carriage_return' : 'control_character' };
}

/** The exclusive end of the event that starts at `start` in bytes whose last event is whole. */
function eventEnd(bytes: Uint8Array, start: number): number {
  let lineStart = start;
  for (;;) {
    const feed = bytes.indexOf(lf, lineStart);
    if (feed < 0) return bytes.length;
    const length = feed - lineStart;
    if (length === 0 || (length === 1 && bytes[lineStart] === cr)) return feed + 1;
    lineStart = feed + 1;
  }
}

/** Finds the events before the first malformed one, so that what passes does not depend on how bytes arrived. */
function checkEach(bytes: Uint8Array, decodeUtf8: Decode): SseBatch {
  let start = 0;
  let text = '';
  while (start < bytes.length) {
    const end = eventEnd(bytes, start);
    const checked = faultIn(bytes.subarray(start, end), decodeUtf8);
    if (checked.fault !== undefined) return { bytes: bytes.subarray(0, start), text, fault: checked.fault };
    text += checked.text;
    start = end;
  }
  return { bytes, text, fault: undefined };
}

function checkBatch(bytes: Uint8Array, decodeUtf8: Decode): SseBatch {
  const { text, fault } = faultIn(bytes, decodeUtf8);
  return fault === undefined ? { bytes, text, fault } : checkEach(bytes, decodeUtf8);
}

/** The unfinished line at the end of what is held: its bytes so far, and whether the first of them is a CR. */
type OpenLine = { bytes: number; isCr: boolean };

/** The end of the last whole event in the chunk, or -1, and whether the event after it is too large already. */
function findEnd(
  chunk: Uint8Array,
  heldBytes: number,
  line: OpenLine,
  maxEventBytes: number,
): { readonly end: number; readonly isTooLarge: boolean } {
  let end = -1;
  let lineStart = 0;
  let eventStart = -heldBytes;
  for (;;) {
    const feed = chunk.indexOf(lf, lineStart);
    if (feed < 0) break;
    const length = feed - lineStart + line.bytes;
    const isCr = line.bytes === 0 ? chunk[lineStart] === cr : line.isCr;
    line.bytes = 0;
    lineStart = feed + 1;
    if (lineStart - eventStart > maxEventBytes) return { end, isTooLarge: true };
    if (length > 1 || (length === 1 && !isCr)) continue;
    end = lineStart;
    eventStart = end;
  }
  if (lineStart < chunk.length) {
    if (line.bytes === 0) line.isCr = chunk[lineStart] === cr;
    line.bytes += chunk.length - lineStart;
  }
  return { end, isTooLarge: chunk.length - eventStart > maxEventBytes };
}

/**
 * Splits a `text/event-stream` body into whole events (WHATWG HTML section 9.2.5, with LF and CRLF as line ends).
 * Stricter than the standard: a lone CR, a control character, a byte order mark, invalid UTF-8 or an event
 * beyond `maxEventBytes` ends the stream, because clients differ in reading them. `decodeUtf8` must
 * throw on invalid sequences. INVARIANT: the events are the same however the bytes are cut into chunks.
 */
export function createSseReader(decodeUtf8: Decode, maxEventBytes: number = maxSseEventBytes): SseReader {
  const held: Held = { bytes: none, length: 0 };
  const line: OpenLine = { bytes: 0, isCr: false };
  let isStart = true;
  let fault: SseFault | undefined;

  const check = (ready: Uint8Array): SseBatch => {
    const isMarked = isStart && ready[0] === 0xef && ready[1] === 0xbb;
    isStart = false;
    const batch = isMarked
      ? { ...emptyBatch, fault: 'byte_order_mark' as const }
      : checkBatch(ready, decodeUtf8);
    fault = batch.fault;
    return batch;
  };

  const push = (chunk: Uint8Array): SseBatch => {
    if (fault !== undefined) return { ...emptyBatch, fault };
    const { end, isTooLarge } = findEnd(chunk, held.length, line, maxEventBytes);
    const batch =
      end < 0 ? emptyBatch : check(release(held, end === chunk.length ? chunk : chunk.subarray(0, end)));
    if (fault !== undefined) return batch;
    if (isTooLarge) {
      fault = 'event_too_large';
      return { ...batch, fault };
    }
    if (end < chunk.length) hold(held, end < 0 ? chunk : chunk.subarray(end));
    return batch;
  };

  const finish = (): SseBatch => {
    if (fault !== undefined || held.length === 0) return { ...emptyBatch, fault };
    return check(release(held, none));
  };

  return { push, finish };
}

function fieldValue(line: string, colon: number): string {
  return line.charCodeAt(colon + 1) === 0x20 ? line.slice(colon + 2) : line.slice(colon + 1);
}

/** Reads name and data from one event's text. */
function readFields(text: string): { readonly name: string; readonly data: string } {
  let name = '';
  let data: string | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field !== 'data' && field !== 'event') continue;
    const value = colon < 0 ? '' : fieldValue(line, colon);
    if (field === 'event') name = value;
    else data = data === undefined ? value : `${data}\n${value}`;
  }
  return { name, data: data ?? '' };
}

/** The events of a batch with their places in its bytes. Costs a decode each: ask only when the batch may matter. */
export function eventsOf(batch: SseBatch, decodeUtf8: Decode): readonly SseEvent[] {
  const { bytes, text } = batch;
  const isAscii = text.length === bytes.length;
  const events: SseEvent[] = [];
  let start = 0;
  while (start < bytes.length) {
    const end = eventEnd(bytes, start);
    const own = isAscii ? text.slice(start, end) : decodeUtf8(bytes.subarray(start, end));
    events.push({ start, end, ...readFields(own) });
    start = end;
  }
  return events;
}

const dataField = [0x64, 0x61, 0x74, 0x61, colon] as const;

/** The bytes of an event's `data` fields, line by line, as they stand in its batch: for an event too large to be copied. */
export function dataOf(bytes: Uint8Array, { start, end }: SseEvent): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let at = start;
  while (at < end) {
    const feed = bytes.indexOf(lf, at);
    const stop = feed < 0 || feed > end ? end : feed;
    if (dataField.every((byte, i) => bytes[at + i] === byte))
      lines.push(bytes.subarray(at + dataField.length, stop));
    at = stop + 1;
  }
  return lines;
}
