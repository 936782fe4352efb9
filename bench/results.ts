// Owns the shape of what was measured, and reading series out of it round by round.

import type { LoadResult } from './load-result.ts';
import type { Machine, Pinning } from './machine.ts';

/** One run of the load generator against one server. */
export type Sample = {
  readonly load: LoadResult;
  /** Processor time of the server for each answer; absent where the system does not tell. */
  readonly cpuMicrosPerRequest?: number;
  /** The most memory that it held during the run, and the most that it has held since its start. */
  readonly rssBytes?: number;
  readonly peakRssBytes?: number;
};

export type DurableCommit = { readonly medianMs: number; readonly p99Ms: number };

export type Round = {
  readonly durable: DurableCommit;
  /** By scenario, then by server. What failed is absent. */
  readonly samples: Readonly<Record<string, Readonly<Record<string, Sample>>>>;
};

export type Results = {
  readonly machine: Machine;
  readonly pinning: Pinning;
  readonly tools: string;
  readonly seconds: number;
  readonly rounds: readonly Round[];
  /** What went wrong, and what was left out, in sentences. */
  readonly problems: readonly string[];
  readonly skipped: readonly string[];
};

/** One number of each round; undefined for rounds that lack it. */
export function seriesOf(
  rounds: readonly Round[],
  scenario: string,
  server: string,
  read: (sample: Sample) => number | undefined,
): readonly (number | undefined)[] {
  return rounds.map((round) => {
    const sample = round.samples[scenario]?.[server];
    return sample === undefined ? undefined : read(sample);
  });
}
