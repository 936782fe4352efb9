// Owns the question whether memory stays flat: a steady load for minutes, and the line through what was seen.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './context.ts';
import { faultOf, measure } from './measure.ts';
import { readUsage } from './process-usage.ts';
import type { Scenario } from './scenarios.ts';
import type { Server } from './servers.ts';
import { median, type Point, slope } from './statistics.ts';
import { judge, type Verdict } from './targets.ts';

export type Soak = {
  readonly minutes: number;
  /** Minutes since the start, and megabytes. */
  readonly points: readonly Point[];
  readonly problems: readonly string[];
};

/** Judged after the first fifth, in which compilers and pools settle. */
const settling = 0.2;

/** Half of what the server can do, and slow streams beside it, for `minutes`. */
export async function soak(
  context: Context,
  server: Server,
  scenarios: { readonly steady: Scenario; readonly streams: Scenario },
  minutes: number,
): Promise<Soak> {
  const started = performance.now();
  const points: Point[] = [];
  const problems: string[] = [];
  let isRunning = true;
  async function watch(): Promise<void> {
    while (isRunning) {
      const usage = readUsage(server.running.pid);
      if (usage !== undefined)
        points.push({ x: (performance.now() - started) / 60_000, y: usage.rssBytes / 1e6 });
      await sleep(1_000);
    }
  }
  async function load(scenario: Scenario): Promise<void> {
    const sample = await measure(context, server, { ...scenario, seconds: minutes * 60 }, false);
    const fault = faultOf(sample);
    if (fault !== undefined) problems.push(`${scenario.id}: ${fault}`);
  }
  const watching = watch();
  await Promise.all([load(scenarios.steady), load(scenarios.streams)]).finally(() => {
    isRunning = false;
  });
  await watching;
  return { minutes, points, problems };
}

/** What the points say: the growth from the first to the last third after settling, and the slope. */
export function judgeSoak({ points }: Pick<Soak, 'points'>): {
  readonly verdict: Verdict;
  readonly slopeMbPerMinute: number;
} {
  const settled = points.slice(Math.floor(points.length * settling));
  const third = Math.floor(settled.length / 3);
  const early = median(settled.slice(0, third).map(({ y }) => y));
  const late = median(settled.slice(-third).map(({ y }) => y));
  const target = {
    id: 'soak',
    text: 'memory grows between the first and the last third',
    limit: 5,
    unit: '%',
    better: 'less',
  } as const;
  const growth = third === 0 ? [] : [100 * (late / early - 1)];
  return { verdict: judge(target, growth), slopeMbPerMinute: slope(settled) };
}
