// Owns what `npm test` says: a line for each stage, failures in full, skips by name, and the closing line.

import type { Outcome } from './reporter.ts';
import type { StageResult } from './run-stage.ts';

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** Counts outcomes; where skips are forbidden (CI), each is a failure. */
export function countOutcomes(outcomes: readonly Outcome[], areSkipsFailures: boolean): Counts {
  const count = (kind: Outcome['kind']): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  const skipped = count('skipped');
  return areSkipsFailures
    ? { passed: count('passed'), failed: count('failed') + skipped, skipped: 0 }
    : { passed: count('passed'), failed: count('failed'), skipped };
}

/** The closing line that tools read: `N passed, N failed`, and `, N skipped` when there are any. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** One line for a finished stage. */
export function stageLine(result: StageResult, areSkipsFailures: boolean): string {
  const counts = countOutcomes(result.outcomes, areSkipsFailures);
  if (result.outcomes.length === 0) return `- ${result.name.padEnd(12)} no files`;
  const mark = counts.failed > 0 ? '✖' : '✔';
  return `${mark} ${result.name.padEnd(12)} ${closingLine(counts)} (${result.seconds.toFixed(1)} s)`;
}

/** The failures of a stage in full, and its skips with their reasons. */
export function detailLines(result: StageResult, root: string): readonly string[] {
  const shorten = (file: string): string =>
    file.startsWith(`${root}/`) ? file.slice(root.length + 1) : file;
  return result.outcomes.flatMap((outcome) => {
    if (outcome.kind === 'passed') return [];
    if (outcome.kind === 'skipped') return [`    skipped: ${outcome.name}: ${outcome.reason ?? ''}`];
    const text = (outcome.text ?? '').split('\n').map((line) => `      ${line}`);
    return [`    ✖ ${outcome.name} (${shorten(outcome.file)}:${outcome.line})`, ...text, ''];
  });
}
