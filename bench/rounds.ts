// Owns the order of measuring: rounds in which every server takes its turn, so that drift hits all of them alike.

import type { Context } from './context.ts';
import { faultOf, measure, measureDurableCommit } from './measure.ts';
import type { Round, Sample } from './results.ts';
import type { Scenario } from './scenarios.ts';
import type { Server } from './servers.ts';

export type RoundsPlan = {
  readonly servers: readonly Server[];
  readonly scenarios: readonly Scenario[];
  readonly count: number;
  readonly onSample: (round: number, scenario: Scenario, server: Server, sample: Sample) => void;
  readonly onProblem: (text: string) => void;
};

/** `items` beginning with another one each round: who comes first after a change of load is not always the same. */
export function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const cut = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(cut), ...items.slice(0, cut)];
}

async function runOne(
  context: Context,
  plan: RoundsPlan,
  round: number,
  scenario: Scenario,
  server: Server,
): Promise<Sample | undefined> {
  const where = `round ${round + 1}, ${scenario.id}, ${server.name}`;
  try {
    const sample = await measure(context, server, scenario, true);
    const fault = faultOf(sample);
    if (fault !== undefined) {
      plan.onProblem(`${where}: ${fault}`);
      return undefined;
    }
    plan.onSample(round, scenario, server, sample);
    return sample;
  } catch (error) {
    plan.onProblem(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** A server is warm when this much more running makes it no faster than by this factor. */
const settledSeconds = 4;
const settledGain = 1.05;
const warmUpMs = 90_000;
/** A server that answers nothing for so many steps will not: the first call waits until a large directory is loaded. */
const silentSteps = 5;

/**
 * Runs a server until each of its callers has called and it gets no faster: code is still being compiled for tens of
 * seconds, on the very processor that serves, and a gateway runs for months. Every server alike, with one bound.
 */
export async function warmUp(context: Context, server: Server, scenario: Scenario): Promise<void> {
  const until = performance.now() + warmUpMs;
  let left = Math.max(server.callers, 10_000);
  let best = 0;
  let silent = 0;
  while (performance.now() < until) {
    const step = { ...scenario, seconds: settledSeconds, warmUp: 0 };
    const { load } = await measure(context, server, step, false);
    silent = load.total === 0 ? silent + 1 : 0;
    if (silent === silentSteps) return;
    left -= load.total;
    if (silent === 0 && left <= 0 && load.requestsPerSecond < best * settledGain) return;
    best = Math.max(best, load.requestsPerSecond);
  }
}

async function warmUpAll(context: Context, plan: RoundsPlan): Promise<void> {
  for (const server of plan.servers) {
    const closed = plan.scenarios.filter(({ rate, servers }) => rate === 0 && servers.includes(server.name));
    // The most connections first: it is the quickest way to every caller.
    const [widest, ...others] = closed.toSorted((a, b) => b.connections - a.connections);
    try {
      if (widest !== undefined) await warmUp(context, server, widest);
      for (const scenario of others)
        await measure(context, server, { ...scenario, seconds: 1, warmUp: 0 }, false);
    } catch (error) {
      plan.onProblem(`warm-up, ${server.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** Runs all rounds. A measurement that fails is told of and missing; the others go on. */
export async function runRounds(context: Context, plan: RoundsPlan): Promise<readonly Round[]> {
  await warmUpAll(context, plan);
  const rounds: Round[] = [];
  for (let round = 0; round < plan.count; round += 1) {
    const durable = await measureDurableCommit(context);
    const samples: Record<string, Record<string, Sample>> = {};
    for (const scenario of plan.scenarios) {
      const own: Record<string, Sample> = {};
      const taking = plan.servers.filter(({ name }) => scenario.servers.includes(name));
      for (const server of rotated(taking, round)) {
        const sample = await runOne(context, plan, round, scenario, server);
        if (sample !== undefined) own[server.name] = sample;
      }
      samples[scenario.id] = own;
    }
    rounds.push({ durable, samples });
  }
  return rounds;
}
