// Owns the main run: everything on, ledger off, the bare proxy, the provider and the peer, in interleaved rounds.

import type { Context } from './context.ts';
import { describeMachine } from './machine.ts';
import { chosen, type Options } from './options.ts';
import { peerName, startPeer } from './peer.ts';
import { nameOf } from './report.ts';
import type { Results, Sample } from './results.ts';
import { runRounds } from './rounds.ts';
import { type Scenario, scenariosOf } from './scenarios.ts';
import {
  copyStore,
  makeStore,
  type SeededStore,
  type Server,
  startBareProxy,
  startGateway,
  startMock,
} from './servers.ts';
import { number } from './table.ts';

/** What the issue names: the size of an organization with everything on. */
const everything = { keys: 10_000, policies: 200, records: 0 } as const;

type Started = { readonly servers: readonly Server[]; readonly skipped: readonly string[] };

/**
 * Starts and ends it once. A first start after modules have changed strips and compiles them, and keeps 10 to 14 MB of
 * that; it leaves them compiled for every start after it, which is what is measured.
 */
async function startOnce(context: Context, store: SeededStore): Promise<void> {
  const { running } = await startGateway(context, copyStore(store, 'first'), { name: 'first', ledger: 'on' });
  await running.stop();
}

async function startAll(context: Context, wanted: (name: string) => boolean): Promise<Started> {
  const mock = await startMock(context);
  const servers: Server[] = wanted('direct') ? [mock] : [];
  const skipped: string[] = [];
  if (wanted('bare')) servers.push(await startBareProxy(context, mock));
  if (wanted('on') || wanted('off')) {
    context.say(`seeding ${everything.keys} keys and ${everything.policies} rules`);
    const store = await makeStore(context, mock, everything);
    const copy = copyStore(store, 'off');
    await startOnce(context, store);
    if (wanted('off')) servers.push(await startGateway(context, copy, { name: 'off', ledger: 'off' }));
    if (wanted('on')) servers.push(await startGateway(context, store, { name: 'on', ledger: 'on' }));
  }
  if (wanted('peer')) {
    context.say(`starting ${peerName}`);
    const peer = await startPeer(context, mock);
    if ('skipped' in peer) skipped.push(peer.skipped);
    else servers.push(peer);
  }
  return { servers, skipped };
}

function sampleLine(round: number, scenario: Scenario, server: Server, { load, ...sample }: Sample): string {
  const cells = [
    `round ${round + 1}`,
    scenario.id.padEnd(12),
    nameOf(server.name).padEnd(26),
    `${number(load.requestsPerSecond).padStart(8)}/s`,
    `p50 ${number(load.p50 / 1000).padStart(6)}`,
    `p95 ${number(load.p95 / 1000).padStart(6)}`,
    `p99 ${number(load.p99 / 1000).padStart(6)} ms`,
    `first byte ${number(load.firstByteP50 / 1000).padStart(6)} ms`,
    sample.cpuMicrosPerRequest === undefined ? '' : `${number(sample.cpuMicrosPerRequest).padStart(6)} µs`,
    sample.rssBytes === undefined ? '' : `${number(sample.rssBytes / 1e6).padStart(6)} MB`,
  ];
  return cells.join('  ').trimEnd();
}

/** The scenarios and servers that the flags leave, and all results. */
export async function compare(
  context: Context,
  options: Options,
): Promise<{ readonly results: Results; readonly scenarios: readonly Scenario[] }> {
  const all = ['direct', 'bare', 'off', 'on', 'peer'];
  const names = chosen(all, (name) => name, options.only);
  const scenarios = chosen(scenariosOf(options.seconds), ({ id }) => id, options.only);
  const machine = describeMachine(context.root);
  const { servers, skipped } = await startAll(context, (name) => names.includes(name));
  const problems: string[] = [];
  const rounds = await runRounds(context, {
    servers,
    scenarios,
    count: options.rounds,
    onSample: (...args) => context.say(sampleLine(...args)),
    onProblem: (text) => {
      problems.push(text);
      context.say(`  ${text}`);
    },
  });
  const { pinning, tools } = context;
  const { seconds } = options;
  return {
    results: { machine, pinning, tools: tools.kind, seconds, rounds, problems, skipped },
    scenarios,
  };
}
