// Owns the question of size: does a large directory, policy or ledger cost throughput?

import type { Context } from './context.ts';
import { describeMachine } from './machine.ts';
import type { Options } from './options.ts';
import type { Results } from './results.ts';
import { runRounds } from './rounds.ts';
import { type Scenario, scenariosOf } from './scenarios.ts';
import {
  makeStore,
  type Server,
  type StoreSize,
  startBareProxy,
  startGateway,
  startMock,
} from './servers.ts';
import { number } from './table.ts';
import type { ScalePair } from './targets.ts';

const sizes: Readonly<Record<string, StoreSize>> = {
  small: { keys: 100, policies: 10, records: 0 },
  keys: { keys: 100_000, policies: 10, records: 0 },
  policies: { keys: 100, policies: 2_000, records: 0 },
  records: { keys: 100, policies: 10, records: 1_000_000 },
};

export const scalePairs: readonly ScalePair[] = [
  { title: '100 to 100,000 keys', small: 'small', large: 'keys' },
  { title: '10 to 2,000 rules', small: 'small', large: 'policies' },
  { title: '0 to 1,000,000 records', small: 'small', large: 'records' },
];

/** Rounds over one store of each size and the bare proxy, at 64 connections. */
export async function measureScale(
  context: Context,
  options: Options,
): Promise<{
  readonly results: Results;
  readonly scenarios: readonly Scenario[];
  readonly servers: readonly string[];
}> {
  const machine = describeMachine(context.root);
  const mock = await startMock(context);
  const servers: Server[] = [await startBareProxy(context, mock)];
  for (const [name, size] of Object.entries(sizes)) {
    context.say(`seeding ${name}: ${size.keys} keys, ${size.policies} rules, ${size.records} records`);
    const store = await makeStore(context, mock, size);
    servers.push(await startGateway(context, store, { name, ledger: 'on' }));
  }
  const names = servers.map(({ name }) => name);
  const scenarios = scenariosOf(options.seconds)
    .filter(({ id }) => id === 'c64')
    .map((scenario): Scenario => ({ ...scenario, servers: names }));
  const problems: string[] = [];
  const rounds = await runRounds(context, {
    servers,
    scenarios,
    count: options.rounds,
    onSample: (round, _scenario, server, { load }) =>
      context.say(
        `round ${round + 1}  ${server.name.padEnd(10)}  ${number(load.requestsPerSecond).padStart(8)}/s`,
      ),
    onProblem: (text) => {
      problems.push(text);
      context.say(`  ${text}`);
    },
  });
  const { pinning, tools } = context;
  const results = {
    machine,
    pinning,
    tools: tools.kind,
    seconds: options.seconds,
    rounds,
    problems,
    skipped: [],
  };
  return { results, scenarios, servers: names };
}
