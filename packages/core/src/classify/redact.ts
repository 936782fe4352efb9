// Owns redaction: where labelled values stand in a text, and the text with them replaced.

import { findCustom, type OrgClassifiers } from './custom.ts';
import { classifyText } from './detect.ts';
import { normalise, originalSpan } from './normalise.ts';
import { startWork, type Work } from './patterns.ts';
import { countsInControl, isLabelGroup, labelGroups, type Span } from './types.ts';

export type Spans = {
  /** By start, then end. Spans of different classifiers may overlap; `mergeSpans` makes them disjoint. */
  readonly spans: readonly Span[];
  /** A work limit was reached: values may stand outside the spans, so the text must not be sent. */
  readonly unexamined: boolean;
};

/** The labels that these name: a group stands for its members. Whoever looks into many texts does it once. */
export function expand(labels: readonly string[]): ReadonlySet<string> {
  return new Set(labels.flatMap((label) => (isLabelGroup(label) ? [...labelGroups[label]] : [label])));
}

/**
 * Where the values of these labels (or groups) stand in `text`: code-unit offsets into `text` itself, even where
 * it hides characters. There are as many spans of a label as `classify` counts. Spans carry the detector's
 * label, never a group's. In a control there are only those that count there.
 */
export function findSpans(
  text: string,
  labels: readonly string[] | ReadonlySet<string>,
  classifiers: OrgClassifiers | undefined,
  work: Work = startWork(),
  isControl = false,
): Spans {
  const wanted = 'has' in labels ? labels : expand(labels);
  const normal = normalise(text);
  const spans: Span[] = [];
  const keep = (label: string, start: number, end: number): void => {
    if (!wanted.has(label) || (isControl && !countsInControl(label))) return;
    const [from, to] = originalSpan(text, normal, start, end);
    spans.push({ label, start: from, end: to });
  };
  classifyText(normal.units, keep);
  if (classifiers !== undefined) findCustom(classifiers, normal, work, keep);
  spans.sort((a, b) => a.start - b.start || a.end - b.end);
  return { spans, unexamined: work.exhausted };
}

/** Disjoint spans that cover the same text: overlapping ones join under the label of the first. */
export function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = [];
  for (const span of spans) {
    const last = merged.at(-1);
    if (last === undefined || span.start >= last.end) merged.push(span);
    else if (span.end > last.end) merged[merged.length - 1] = { ...last, end: span.end };
  }
  return merged;
}

/** The text with each span replaced by its label in brackets: `mail [email] today`. Spans as `findSpans` sorts them. */
export function replaceSpans(text: string, spans: readonly Span[]): string {
  let result = '';
  let from = 0;
  for (const { label, start, end } of mergeSpans(spans)) {
    result += `${text.slice(from, start)}[${label}]`;
    from = end;
  }
  return result + text.slice(from);
}
