// Owns one measurement: runs the load generator against a server and watches the server meanwhile.

import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Context } from './context.ts';
import { parseLoadResult } from './load-result.ts';
import { readUsage } from './process-usage.ts';
import type { DurableCommit, Sample } from './results.ts';
import type { Scenario } from './scenarios.ts';
import type { Server } from './servers.ts';

const watchMs = 200;
/** A server that uses less than this share of a processor for this long rests. */
const restShare = 0.06;
const restMs = 500;
const settleMs = 20_000;

function loadFlags(context: Context, server: Server, scenario: Scenario): readonly string[] {
  return [
    ['-p', server.port],
    ['-c', scenario.connections],
    ['-d', scenario.seconds],
    ['-w', scenario.warmUp],
    ['-r', scenario.rate],
    ['-g', scenario.grace],
    ['-b', context.bodies[scenario.body]],
  ]
    .flat()
    .map(String)
    .concat(server.loadFlags);
}

/** Why a sample does not count; undefined for a good one. */
export function faultOf({ load }: Sample): string | undefined {
  if (load.notOk > 0) return `${load.notOk} answers were not 2xx, the last ${load.lastBad}`;
  if (load.errors > 0) return `${load.errors} requests failed`;
  if (load.unsent > 0) return `${load.unsent} requests could not be sent in time`;
  return undefined;
}

/**
 * Waits until the server rests: work that it has put off (a projection of its records) must not run while others are
 * measured, and counts as its own. Gives up after some seconds.
 */
async function untilIdle(pid: number): Promise<void> {
  const until = performance.now() + settleMs;
  let last = readUsage(pid)?.cpuMicros;
  while (last !== undefined && performance.now() < until) {
    await sleep(restMs);
    const now = readUsage(pid)?.cpuMicros;
    if (now === undefined || now - last <= restMs * 1000 * restShare) return;
    last = now;
  }
}

/** Measures once. Rejects when the generator itself fails, or the server has ended. `settles`: see `untilIdle`. */
export async function measure(
  context: Context,
  server: Server,
  scenario: Scenario,
  settles: boolean,
): Promise<Sample> {
  const { command, args } = context.tools.load;
  const { pid } = server.running;
  const before = readUsage(pid);
  let rssBytes = before?.rssBytes ?? 0;
  const watch = setInterval(() => {
    rssBytes = Math.max(rssBytes, readUsage(pid)?.rssBytes ?? 0);
  }, watchMs);
  const output = await context.processes
    .run({
      name: `load on ${server.name}`,
      command,
      args: [...args, ...loadFlags(context, server, scenario)],
      cpu: context.pinning.load,
    })
    .finally(() => clearInterval(watch));
  if (settles) await untilIdle(pid);
  const after = readUsage(pid);
  if (!server.running.isAlive())
    throw new Error(`${server.name} has ended; its log ends with:\n${server.running.log()}`);
  const load = parseLoadResult(output);
  if (before === undefined || after === undefined) return { load };
  return {
    load,
    ...(load.total === 0 ? {} : { cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / load.total }),
    rssBytes: Math.max(rssBytes, after.rssBytes),
    peakRssBytes: after.peakRssBytes,
  };
}

/** What a durable commit costs now, on the disk of the stores and on the processor of the gateways. */
export async function measureDurableCommit(context: Context): Promise<DurableCommit> {
  const output = await context.processes.run({
    name: 'durable-commit',
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(new URL('./durable-commit.ts', import.meta.url)),
      context.run,
      '300',
    ],
    cpu: context.pinning.gateway,
  });
  const parsed: unknown = JSON.parse(output);
  if (typeof parsed !== 'object' || parsed === null) throw new Error('the disk was not measured');
  const numbers = new Map<string, unknown>(Object.entries(parsed));
  const medianMs = numbers.get('medianMs');
  const p99Ms = numbers.get('p99Ms');
  if (typeof medianMs !== 'number' || typeof p99Ms !== 'number') throw new Error('the disk was not measured');
  return { medianMs, p99Ms };
}
