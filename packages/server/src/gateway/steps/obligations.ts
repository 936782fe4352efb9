// Owns what an allowed call must undergo before it leaves: redaction, another model's name, a token ceiling, how its content is kept.

import type { OrgClassifiers } from '@countersign/core/classify/custom';
import { startWork } from '@countersign/core/classify/patterns';
import { expand, findSpans, mergeSpans, replaceSpans, type Spans } from '@countersign/core/classify/redact';
import type { Span } from '@countersign/core/classify/types';
import type { InferenceRequest, Part } from '@countersign/core/dialects/request-types';
import {
  applySplices,
  leavesOf,
  type Redaction,
  remainderOf,
  type Splice,
  type Spliced,
  spliceModel,
  spliceRedactions,
  spliceTokenCeiling,
  type Utf8,
} from '@countersign/core/dialects/splice';
import type { Organization } from '@countersign/core/directory/objects';
import { type ContentMode, contentModes } from '@countersign/core/directory/scalars';
import { AppError } from '@countersign/core/errors';
import type { Obligations } from '@countersign/core/policy/types';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strict UTF-8 both ways; a byte order mark is kept. */
export const utf8: Utf8 = {
  decodeUtf8: (bytes) => decoder.decode(bytes),
  encodeUtf8: (text) => encoder.encode(text),
};

function unredactable(): AppError {
  return new AppError(
    'policy_denied',
    'policy asks for data to be cut from this prompt that cannot be cut without changing its form: remove it yourself',
  );
}

function unsubstitutable(): AppError {
  return new AppError(
    'policy_denied',
    'policy asks for another model than this request names in a place that can be changed: name it in `model` yourself',
  );
}

function unthinkable(ceiling: number): AppError {
  return new AppError(
    'policy_denied',
    `policy allows this call ${ceiling} tokens, fewer than \`thinking\` takes at the least: leave it out`,
  );
}

/** Stands for what is cut, unit for unit, so that nothing comes nearer to anything else: no detector reads it. */
const blot = '…';

function blotted(text: string, spans: readonly Span[]): string {
  let result = '';
  let from = 0;
  for (const { start, end } of spans) {
    result += text.slice(from, start) + blot.repeat(end - start);
    from = end;
  }
  return result + text.slice(from);
}

type Find = (text: string) => Spans;

/**
 * What is cut from one part; `undefined` where something cannot be: in a name, in a number, across two strings.
 * INVARIANT: findings are not only counted, or one that is found in a string alone would stand in for one that is not.
 */
function cutPart(
  part: Extract<Part, { readonly kind: 'text' }>,
  find: Find,
): readonly Redaction[] | undefined {
  const whole = find(part.text);
  if (whole.unexamined) return undefined;
  const redactions: Redaction[] = [];
  const rest: string[] = [];
  let found = 0;
  for (const leaf of leavesOf(part)) {
    if (leaf.kind !== 'text') continue;
    const { spans, unexamined } = find(leaf.text);
    if (unexamined) return undefined;
    found += spans.length;
    const merged = mergeSpans(spans);
    if (merged.length > 0) redactions.push({ path: leaf.path, text: replaceSpans(leaf.text, merged) });
    rest.push(merged.length === 0 ? leaf.text : blotted(leaf.text, merged));
  }
  if (found < whole.spans.length) return undefined;
  if (!part.structured || whole.spans.length === 0) return redactions;
  const remainder = remainderOf(part.text, rest);
  if (remainder === undefined) return undefined;
  const { spans, unexamined } = find(remainder);
  return unexamined || spans.length > 0 ? undefined : redactions;
}

/** Cuts every finding of these labels. A finding that no string of the body holds refuses the call. */
function redact(
  request: InferenceRequest,
  body: Uint8Array,
  labels: readonly string[],
  classifiers: OrgClassifiers | undefined,
): readonly Splice[] | AppError {
  if (labels.length === 0) return [];
  const wanted = expand(labels);
  const redactions: Redaction[] = [];
  for (const part of request.parts) {
    if (part.kind !== 'text') continue;
    const isControl = part.isControl === true;
    const find: Find = (text) => findSpans(text, wanted, classifiers, startWork(), isControl);
    const cut = cutPart(part, find);
    if (cut === undefined) return unredactable();
    for (const one of cut) redactions.push(one);
  }
  const splices = spliceRedactions(body, redactions, utf8);
  if (splices === undefined) return unredactable();
  return splices;
}

/** The body as it leaves: the client's bytes but for the recorded splices; or why it cannot be as policy asks. */
export function fulfil(
  request: InferenceRequest,
  body: Uint8Array,
  upstreamModel: string,
  obligations: Obligations,
  classifiers: OrgClassifiers | undefined,
): Spliced | AppError {
  const named = spliceModel(request, body, upstreamModel, utf8);
  // A form, a stored prompt or a path holds the model's name where no splice reaches it.
  if (obligations.model !== undefined && named.length === 0 && request.model !== upstreamModel)
    return unsubstitutable();
  const redacted = redact(request, body, obligations.redact, classifiers);
  if (redacted instanceof AppError) return redacted;
  const { maxTokens } = obligations;
  const lowered = maxTokens === undefined ? [] : spliceTokenCeiling(request, body, maxTokens, utf8);
  if (lowered === undefined) return unthinkable(maxTokens ?? 0);
  return applySplices(body, [...named, ...lowered, ...redacted], utf8.encodeUtf8);
}

/** How a call's content is kept: policy's word, else the strictest that its labels ask for, else the default. */
export function contentModeOf(
  organization: Organization,
  labels: readonly string[],
  obligations: Obligations,
): ContentMode {
  if (obligations.content !== undefined) return obligations.content;
  if (labels.length === 0) return organization.contentMode;
  const asked = new Set(labels.flatMap((label) => organization.contentByLabel[label] ?? []));
  return contentModes.find((mode) => asked.has(mode)) ?? organization.contentMode;
}
