// Owns the line on a terminal that says how far long work is: what is done, of how much, and about how long is left.

import type { Progress, Step } from '@countersign/sdk/ledger/progress';
import type { Invocation } from './command.ts';
import type { Terminal } from './machine.ts';

export type ProgressLine = {
  readonly tell: Progress;
  /** Takes the line away. Nothing is left of it, and the cursor stands where the line began. */
  readonly clear: () => void;
};

/** Work that ends sooner shows nothing. */
const firstMs = 1_000;
/** The line changes no more often, so that it can be read and costs nothing. */
const everyMs = 250;

const units: { readonly [S in Step]: string } = {
  exporting: 'entries',
  verifying: 'entries',
  'comparing copies': 'lines',
  replaying: 'entries',
  summing: 'entries',
};

/** Whole seconds up to a minute and a half, then minutes, then hours. */
function durationText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

type Begun = {
  readonly step: Step;
  readonly total: number;
  readonly sinceMs: number;
  readonly first: number;
};

/** What the line says. How long is left is told from what this step has done in its own time, once that is a second. */
function lineText({ step, total, sinceMs, first }: Begun, done: number, nowMs: number): string {
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
  const text = `${step}: ${done} of ${total} ${units[step]} (${percent} %)`;
  const tookMs = nowMs - sinceMs;
  if (tookMs < firstMs || done <= first || done >= total) return text;
  return `${text}, about ${durationText((tookMs / (done - first)) * (total - done))} left`;
}

/** A line on this terminal. Its time begins now. */
export function progressLine({ write, columns, now }: Terminal): ProgressLine {
  const startedMs = now();
  let begun: Begun | undefined;
  let before = 0;
  let drawnMs = Number.NEGATIVE_INFINITY;
  let shown = 0;
  return {
    tell: (step, done, total) => {
      const nowMs = now();
      // A step that starts again is that of another log.
      if (begun?.step !== step || begun.total !== total || done < before)
        begun = { step, total, sinceMs: begun === undefined ? startedMs : nowMs, first: done };
      before = done;
      if (nowMs - startedMs < firstMs || nowMs - drawnMs < everyMs) return;
      drawnMs = nowMs;
      // A line that broke could not be written over.
      const text = lineText(begun, done, nowMs).slice(0, Math.max(0, columns() - 1));
      write(`\r${text.padEnd(shown)}`);
      shown = text.length;
    },
    clear: () => {
      if (shown > 0) write(`\r${' '.repeat(shown)}\r`);
      shown = 0;
    },
  };
}

/**
 * Does long work, with its progress on the terminal if there is one and the answer is for people. The line is gone
 * before anything else is printed, however the work ends.
 */
export async function withProgress<T>(
  { flags, json, machine: { terminal } }: Invocation,
  work: (progress: Progress | undefined) => Promise<T>,
): Promise<T> {
  if (terminal === undefined || json || flags.toggle('csv') === true) return work(undefined);
  const line = progressLine(terminal);
  try {
    return await work(line.tell);
  } finally {
    line.clear();
  }
}
