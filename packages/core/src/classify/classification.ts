// Owns classification: what a request's parts hold, as labels and counts, never as values.

import { findCustom, type OrgClassifiers } from './custom.ts';
import { classifyText } from './detect.ts';
import { createTextReader, type TextReader } from './normalise.ts';
import { startWork, type Work } from './patterns.ts';
import { builtinDetectorVersion, countsInControl, labelGroups } from './types.ts';

/** A part of a request or answer. Each is examined by itself: nothing is found across two parts. */
export type Part =
  | {
      readonly kind: 'text';
      readonly role: 'system' | 'user' | 'assistant' | 'tool';
      readonly text: string;
      /** An id, a setting or a header: what looks like a number of somebody's is none (`countsInControl`). */
      readonly isControl?: boolean;
    }
  | { readonly kind: 'opaque'; readonly reason: 'image' | 'pdf' | 'audio' | 'file_id' | 'unknown' }
  /** Sealed by the provider that it goes back to: no detector reads it, and nobody else does. */
  | { readonly kind: 'sealed' };

export type Classification = {
  /** Sorted, without repetition: detectors' labels, the groups they roll up into, and the markers (`opaque`, …). */
  readonly labels: readonly string[];
  /** Findings by label; a group counts its members' findings, `opaque` and `provider_sealed` count parts, `unexamined` is 1. */
  readonly counts: Readonly<Record<string, number>>;
  /** A part that no detector reads is present: policy treats it as controlled. */
  readonly opaque: boolean;
  /** A work limit was reached before all text was examined: policy must take the strictest reading. */
  readonly unexamined: boolean;
  /** Which detectors read it: `builtin-2`, with `+` and the version of the organization's classifiers. */
  readonly detector: string;
};

/** Text beyond this many code units in one request is not examined. */
export const mostExaminedUnits = 64_000_000;

/** What one classification goes by. */
type Reading = { readonly work: Work; readonly read: TextReader };

type Tally = { readonly counts: Map<string, number>; units: number; unexamined: boolean };

function add(tally: Tally, label: string, count: number): void {
  tally.counts.set(label, (tally.counts.get(label) ?? 0) + count);
}

function examine(
  tally: Tally,
  text: string,
  classifiers: OrgClassifiers | undefined,
  { work, read }: Reading,
  sink: (label: string) => void,
): void {
  tally.units += text.length;
  if (tally.units > mostExaminedUnits) {
    tally.unexamined = true;
    return;
  }
  const normal = read(text);
  classifyText(normal.units, sink);
  if (classifiers !== undefined) findCustom(classifiers, normal, work, sink);
}

function rollUp(tally: Tally): void {
  for (const [group, members] of Object.entries(labelGroups)) {
    const sum = members.reduce((total, label) => total + (tally.counts.get(label) ?? 0), 0);
    if (sum > 0) add(tally, group, sum);
  }
}

/** Names the detectors that read a text, for the record. */
export function detectorVersion(classifiers: OrgClassifiers | undefined): string {
  return classifiers?.detector ?? builtinDetectorVersion;
}

const noLabels: readonly string[] = [];

function nothingFound(classifiers: OrgClassifiers | undefined): Classification {
  const detector = detectorVersion(classifiers);
  return { labels: noLabels, counts: {}, opaque: false, unexamined: false, detector };
}

/**
 * Classifies the parts of a request, of every role: an assistant's earlier words count as much as a user's.
 * Never throws; what cannot be examined is marked, not passed. `work` carries the caller's deadline for the
 * organization's own patterns: `startWork(() => now() > end)`. Whoever classifies often keeps a reader for all times.
 */
export function classify(
  parts: readonly Part[],
  classifiers: OrgClassifiers | undefined,
  work: Work = startWork(),
  read: TextReader = createTextReader(),
): Classification {
  const tally: Tally = { counts: new Map(), units: 0, unexamined: false };
  const sink = (label: string): void => add(tally, label, 1);
  const controlSink = (label: string): void => {
    if (countsInControl(label)) add(tally, label, 1);
  };
  let opaque = 0;
  let sealed = 0;
  for (const part of parts) {
    if (part.kind === 'text')
      examine(tally, part.text, classifiers, { work, read }, part.isControl === true ? controlSink : sink);
    else if (part.kind === 'sealed') sealed += 1;
    else opaque += 1;
  }
  const unexamined = tally.unexamined || work.exhausted;
  if (tally.counts.size === 0 && opaque + sealed === 0 && !unexamined) return nothingFound(classifiers);
  rollUp(tally);
  if (opaque > 0) add(tally, 'opaque', opaque);
  if (sealed > 0) add(tally, 'provider_sealed', sealed);
  if (unexamined) add(tally, 'unexamined', 1);
  const labels = [...tally.counts.keys()].sort();
  const counts = Object.fromEntries(labels.map((label) => [label, tally.counts.get(label) ?? 0]));
  return { labels, counts, opaque: opaque > 0, unexamined, detector: detectorVersion(classifiers) };
}
