// Owns the targets: what is compared with what, round by round, and whether the median passes.

import type { Results, Round, Sample } from './results.ts';
import { seriesOf } from './results.ts';
import { pairwise, ratios, type Spread, spreadOf } from './statistics.ts';

export type Target = {
  readonly id: string;
  readonly text: string;
  readonly unit: 'ratio' | 'µs' | 'ms' | 's' | 'MB' | '%' | 'count';
  readonly limit: number;
  /** What is hoped for beyond the limit. */
  readonly aim?: number;
  /** Whether larger numbers are better. */
  readonly better: 'more' | 'less';
};

export type Verdict = {
  readonly target: Target;
  /** Undefined: it was not measured in this run. */
  readonly value: Spread | undefined;
  readonly verdict: 'pass' | 'miss' | 'not measured';
};

/** Judges the median of the rounds. */
export function judge(target: Target, values: readonly number[]): Verdict {
  const value = spreadOf(values);
  if (value === undefined) return { target, value, verdict: 'not measured' };
  const isMet = target.better === 'more' ? value.median >= target.limit : value.median <= target.limit;
  return { target, value, verdict: isMet ? 'pass' : 'miss' };
}

const requestsPerSecond = (sample: Sample): number => sample.load.requestsPerSecond;
const microsToMs = 1000;
const bytesPerMb = 1_000_000;

function ratioOf(
  rounds: readonly Round[],
  scenario: string,
  server: string,
  base: string,
): readonly number[] {
  return ratios(
    seriesOf(rounds, scenario, server, requestsPerSecond),
    seriesOf(rounds, scenario, base, requestsPerSecond),
  );
}

/** Milliseconds at the median that one connection waits more than through the bare proxy, in each round. */
export function addedMs(rounds: readonly Round[], server: string): readonly number[] {
  const p50 = (sample: Sample): number => sample.load.p50 / microsToMs;
  return pairwise(
    seriesOf(rounds, 'c1', server, p50),
    seriesOf(rounds, 'c1', 'bare', p50),
    (own, bare) => own - bare,
  );
}

/** By how much the added time passes what two durable commits of the same round allow; negative is good. */
function excessMs(rounds: readonly Round[]): readonly number[] {
  return rounds.flatMap((round) =>
    addedMs([round], 'on').map((added) => added - (2 * round.durable.medianMs + 0.4)),
  );
}

function present(values: readonly (number | undefined)[]): readonly number[] {
  return values.flatMap((value) => value ?? []);
}

/** The targets that rounds can answer. */
export function judgeRounds({ rounds }: Pick<Results, 'rounds'>): readonly Verdict[] {
  const ratio = { unit: 'ratio', better: 'more' } as const;
  const ms = { unit: 'ms', better: 'less' } as const;
  const slow = (read: (sample: Sample) => number | undefined): readonly number[] =>
    present(seriesOf(rounds, 'slow-streams', 'on', read));
  return [
    judge(
      { id: 'on-64', text: 'everything on / bare proxy, 64 connections', limit: 0.3, aim: 0.6, ...ratio },
      ratioOf(rounds, 'c64', 'on', 'bare'),
    ),
    judge(
      { id: 'on-16', text: 'everything on / bare proxy, 16 connections', limit: 0.2, aim: 0.5, ...ratio },
      ratioOf(rounds, 'c16', 'on', 'bare'),
    ),
    judge(
      { id: 'off-64', text: 'ledger off / bare proxy, 64 connections', limit: 0.5, aim: 0.75, ...ratio },
      ratioOf(rounds, 'c64', 'off', 'bare'),
    ),
    judge(
      {
        id: 'added-1',
        text: 'one connection: time added to the bare proxy, less (2 durable commits + 0.4 ms)',
        limit: 0,
        ...ms,
      },
      excessMs(rounds),
    ),
    judge(
      { id: 'open-p99', text: '1,000 requests/s open loop: p99', limit: 15, aim: 4, ...ms },
      present(seriesOf(rounds, 'open', 'on', ({ load }) => load.p99 / microsToMs)),
    ),
    judge(
      { id: 'slow-first', text: '500 slow streams: median first byte', limit: 10, ...ms },
      slow(({ load }) => load.firstByteP50 / microsToMs),
    ),
    judge(
      { id: 'slow-rss', text: '500 slow streams: memory', limit: 250, unit: 'MB', better: 'less' },
      slow(({ rssBytes }) => (rssBytes === undefined ? undefined : rssBytes / bytesPerMb)),
    ),
    judge(
      { id: 'peer-64', text: 'everything on / peer, 64 connections', limit: 6, aim: 12, ...ratio },
      ratioOf(rounds, 'c64', 'on', 'peer'),
    ),
  ];
}

/** One dimension of scale: its name, and the servers over the small and the large store. */
export type ScalePair = { readonly title: string; readonly small: string; readonly large: string };

/** How much throughput falls from the small to the large store, in percent, each against the bare proxy. */
export function judgeScale(rounds: readonly Round[], pairs: readonly ScalePair[]): readonly Verdict[] {
  return pairs.map(({ title, small, large }) =>
    judge(
      { id: `scale-${large}`, text: `throughput falls: ${title}`, limit: 10, unit: '%', better: 'less' },
      pairwise(
        ratioOf(rounds, 'c64', large, 'bare'),
        ratioOf(rounds, 'c64', small, 'bare'),
        (after, before) => 100 * (1 - after / before),
      ),
    ),
  );
}
