// Owns the only ways in which a request's body may differ from what the client sent, and the record of each.

import { parseJson } from '../parse-json.ts';
import { locatePaths } from './json-locate.ts';
import type { BodyPath, InferenceRequest, Part, Span } from './request-types.ts';
import { limitFieldsOf } from './token-bounds.ts';

export type SplicePurpose = 'model_alias' | 'token_ceiling' | 'redaction';

/** Replaces `removed` bytes at `offset` of the original body by `text`, which is JSON text in place. */
export type Splice = {
  readonly purpose: SplicePurpose;
  readonly offset: number;
  readonly removed: number;
  readonly text: string;
};

/** What the ledger keeps of a splice: where and how much, never what. */
export type SpliceRecord = {
  readonly purpose: SplicePurpose;
  readonly offset: number;
  readonly removed: number;
  readonly inserted: number;
};

export type Utf8 = {
  readonly decodeUtf8: (bytes: Uint8Array) => string;
  readonly encodeUtf8: (text: string) => Uint8Array;
};

function trimmed(bytes: Uint8Array, from: number, to: number): Span {
  let start = from;
  let end = to;
  while (start < end && isSpace(bytes[start])) start += 1;
  while (end > start && isSpace(bytes[end - 1])) end -= 1;
  return { start, end };
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The span of a top-level member's value, however its key is spelled; `undefined` when there is none. */
export function topLevelValue(
  request: InferenceRequest,
  bytes: Uint8Array,
  key: string,
  decodeUtf8: Utf8['decodeUtf8'],
): Span | undefined {
  const { offsets } = request.topLevel;
  for (let i = 0; i + 3 < offsets.length; i += 4) {
    const [keyStart = 0, keyEnd = 0, colon = 0, end = 0] = offsets.slice(i, i + 4);
    const name: unknown = parseJson(decodeUtf8(bytes.subarray(keyStart, keyEnd)), false);
    if (name === key) return trimmed(bytes, colon + 1, end);
  }
  return undefined;
}

/** Names another model than the client did. A body without a model is left as it is. */
export function spliceModel(
  request: InferenceRequest,
  bytes: Uint8Array,
  model: string,
  utf8: Utf8,
): readonly Splice[] {
  if (request.model === model) return [];
  const span = topLevelValue(request, bytes, 'model', utf8.decodeUtf8);
  if (span === undefined) return [];
  return [
    {
      purpose: 'model_alias',
      offset: span.start,
      removed: span.end - span.start,
      text: JSON.stringify(model),
    },
  ];
}

/** A value that may be above the ceiling, and where it stands. */
type Written = { readonly span: Span; readonly value: unknown };

function writtenAt(bytes: Uint8Array, span: Span | undefined, { decodeUtf8 }: Utf8): Written | undefined {
  if (span === undefined) return undefined;
  const value: unknown = parseJson(decodeUtf8(bytes.subarray(span.start, span.end)));
  return { span, value };
}

function lower({ start, end }: Span, ceiling: number): Splice {
  return { purpose: 'token_ceiling', offset: start, removed: end - start, text: JSON.stringify(ceiling) };
}

/** 0 is no limit to some upstreams, and so above each ceiling. */
function isAbove(value: unknown, ceiling: number): boolean {
  return typeof value === 'number' && (value > ceiling || value === 0);
}

/** The least that Anthropic lets a model think; it must be less than `max_tokens`. */
const leastThinking = 1024;

/** Limits that stand deeper in a body of messages: those of models to fall back to, and that of thinking. */
function lowerNested(
  request: InferenceRequest,
  bytes: Uint8Array,
  ceiling: number,
  utf8: Utf8,
): readonly Splice[] | undefined {
  const top = (key: string) =>
    writtenAt(bytes, topLevelValue(request, bytes, key, utf8.decodeUtf8), utf8)?.value;
  const fallbacks = top('fallbacks');
  const count = Array.isArray(fallbacks) ? fallbacks.length : 0;
  const paths: BodyPath[] = Array.from({ length: count }, (_, i) => ['fallbacks', i, 'max_tokens']);
  const spans = locatePaths(bytes, [...paths, ['thinking', 'budget_tokens']], utf8.decodeUtf8);
  const splices: Splice[] = [];
  for (let i = 0; i <= count; i += 1) {
    const written = writtenAt(bytes, spans[i], utf8);
    const most = i < count ? ceiling : ceiling - 1;
    if (written === undefined || !isAbove(written.value, most)) continue;
    if (i === count && most < leastThinking) return undefined;
    splices.push(lower(written.span, most));
  }
  return splices;
}

/**
 * Lowers the answer's token limit to `ceiling`: each limit above it (or null) is replaced, and where there is
 * none the endpoint's own is added as the last member. So are, in a body of messages, the limits of fallback models,
 * and to one less the budget for thinking; `undefined` where less is left for that than the vendor takes: then the
 * request must be refused. Endpoints without a limit of their own are left alone.
 */
export function spliceTokenCeiling(
  request: InferenceRequest,
  bytes: Uint8Array,
  ceiling: number,
  utf8: Utf8,
): readonly Splice[] | undefined {
  const fields = limitFieldsOf(request.endpoint);
  const nested = request.endpoint === 'messages' ? lowerNested(request, bytes, ceiling, utf8) : [];
  if (nested === undefined) return undefined;
  const written = fields.flatMap(
    (field) => writtenAt(bytes, topLevelValue(request, bytes, field, utf8.decodeUtf8), utf8) ?? [],
  );
  // A provider refuses two limits side by side: a null stays null when another limit holds.
  const limits = written.filter(({ value }) => typeof value === 'number');
  if (limits.length > 0) {
    const above = limits.filter(({ value }) => isAbove(value, ceiling));
    return [...above.map(({ span }) => lower(span, ceiling)), ...nested];
  }
  const [empty] = written;
  if (empty !== undefined) return [lower(empty.span, ceiling), ...nested];
  const [field] = fields;
  if (field === undefined) return [];
  const lead = request.topLevel.offsets.length === 0 ? '' : ',';
  const text = `${lead}${JSON.stringify(field)}:${JSON.stringify(ceiling)}`;
  return [{ purpose: 'token_ceiling', offset: request.topLevel.closeBrace, removed: 0, text }, ...nested];
}

/** New text for the JSON string at a path. */
export type Redaction = { readonly path: BodyPath; readonly text: string };

/**
 * Replaces whole JSON strings by redacted ones, escaped. Answers `undefined` if a path leads to no string of
 * the body: then nothing was redacted and the request must be refused.
 */
export function spliceRedactions(
  bytes: Uint8Array,
  redactions: readonly Redaction[],
  utf8: Utf8,
): readonly Splice[] | undefined {
  const spans = locatePaths(
    bytes,
    redactions.map(({ path }) => path),
    utf8.decodeUtf8,
  );
  const splices: Splice[] = [];
  const cut = new Set<number>();
  for (let i = 0; i < redactions.length; i += 1) {
    const span = spans[i];
    const redaction = redactions[i];
    if (span === undefined || redaction === undefined || bytes[span.start] !== 0x22) return undefined;
    // A string that is read as a part of two things is cut once.
    if (cut.has(span.start)) continue;
    cut.add(span.start);
    splices.push({
      purpose: 'redaction',
      offset: span.start,
      removed: span.end - span.start,
      text: JSON.stringify(redaction.text),
    });
  }
  return splices;
}

/** The value with each of its strings replaced; names of members stay. */
function mapStrings(
  value: unknown,
  path: BodyPath,
  replace: (text: string, path: BodyPath) => string,
): unknown {
  if (typeof value === 'string') return replace(value, path);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.map((item, i) => mapStrings(item, [...path, i], replace));
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value);
  return Object.fromEntries(
    members.map(([key, member]) => [key, mapStrings(member, [...path, key], replace)]),
  );
}

/**
 * The strings inside a structured part, each as a part that can be redacted; none of what stands outside the body.
 * What a detector finds in the whole but in none of these (a key, a number) cannot be redacted: `remainderOf` has it.
 */
export function leavesOf(part: Part): readonly Part[] {
  if (part.kind !== 'text') return [part];
  if (!part.structured) return part.path.length === 0 ? [] : [part];
  const leaves: Part[] = [];
  const { role } = part;
  mapStrings(parseJson(part.text), part.path, (text, path) => {
    leaves.push({ kind: 'text', role, text, path, structured: false });
    return text;
  });
  return leaves;
}

/**
 * The JSON text of a structured part in which `leaves` stand for its strings, in the order of `leavesOf`: what is still
 * found in it, no redaction reaches. `undefined` where the part's text does not hold every member of the body: two
 * names differ by controls alone.
 */
export function remainderOf(text: string, leaves: readonly string[]): string | undefined {
  const value: unknown = parseJson(text);
  if (JSON.stringify(value) !== text) return undefined;
  let next = 0;
  const cut = mapStrings(value, [], (leaf) => {
    next += 1;
    return leaves[next - 1] ?? leaf;
  });
  return JSON.stringify(cut);
}

/** What `applySplices` made, and what the ledger is told of it. */
export type Spliced = { readonly bytes: Uint8Array; readonly records: readonly SpliceRecord[] };

/**
 * Applies splices to the original body; every byte outside them stays as it is. Without splices the same
 * array is answered. Throws a RangeError if they overlap or leave the body: that is a fault of ours.
 */
export function applySplices(
  bytes: Uint8Array,
  splices: readonly Splice[],
  encodeUtf8: Utf8['encodeUtf8'],
): Spliced {
  if (splices.length === 0) return { bytes, records: [] };
  const ordered = splices
    .map((splice) => ({ ...splice, inserted: encodeUtf8(splice.text) }))
    .sort((a, b) => a.offset - b.offset);
  let length = bytes.length;
  let from = 0;
  for (const { offset, removed, inserted } of ordered) {
    if (offset < from || removed < 0 || offset + removed > bytes.length) {
      throw new RangeError('splices overlap or leave the body');
    }
    from = offset + removed;
    length += inserted.length - removed;
  }
  const result = new Uint8Array(length);
  let read = 0;
  let write = 0;
  for (const { offset, removed, inserted } of ordered) {
    result.set(bytes.subarray(read, offset), write);
    write += offset - read;
    result.set(inserted, write);
    write += inserted.length;
    read = offset + removed;
  }
  result.set(bytes.subarray(read), write);
  const records = ordered.map(({ purpose, offset, removed, inserted }) => {
    return { purpose, offset, removed, inserted: inserted.length };
  });
  return { bytes: result, records };
}
