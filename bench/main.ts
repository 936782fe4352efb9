// Owns `npm run bench`: which question is asked, what is printed and kept, and that nothing is left running.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from './compare.ts';
import { type Context, closeContext, openContext } from './context.ts';
import { faultsText, isWholeCount, judgeFaults, measureFaults } from './faults.ts';
import { profileWhile } from './inspect.ts';
import { describeMachine } from './machine.ts';
import { measure } from './measure.ts';
import { chosen, type Options, readOptions, usage } from './options.ts';
import { judgeParts, measureParts, partsText } from './parts.ts';
import { busyShare, hottest } from './profile.ts';
import { machineText, nameOf, roundsText, verdictTable, writeSection } from './report.ts';
import { warmUp } from './rounds.ts';
import { measureScale, scalePairs } from './scale.ts';
import { scenariosOf } from './scenarios.ts';
import { makeStore, type Server, startGateway, startMock } from './servers.ts';
import { judgeSoak, soak } from './soak.ts';
import { measureSteps } from './steps.ts';
import { number } from './table.ts';
import { judgeRounds, judgeScale, type Verdict } from './targets.ts';

const resultsPath = join(import.meta.dirname, 'RESULTS.md');

/** A run that answers everything it was meant to: only such a one replaces what RESULTS.md says. */
function isWhole(options: Options): boolean {
  return !options.isQuick && options.rounds >= 5 && options.only.length === 0;
}

function publish(
  context: Context,
  options: Options,
  name: string,
  heading: string,
  text: string,
  raw: unknown,
): void {
  mkdirSync(context.out, { recursive: true });
  writeFileSync(join(context.out, `${name}.json`), `${JSON.stringify(raw, null, 1)}\n`);
  context.say(`\n${text}\n\nraw numbers: bench/.out/${name}.json`);
  if (!isWhole(options)) return;
  writeSection(resultsPath, heading, text);
  context.say('written: bench/RESULTS.md');
}

function hasMissed(verdicts: readonly Verdict[]): boolean {
  return verdicts.some(({ verdict }) => verdict === 'miss');
}

async function runCompare(context: Context, options: Options): Promise<boolean> {
  const { results, scenarios } = await compare(context, options);
  const verdicts = judgeRounds(results);
  const text = roundsText(results, scenarios, ['direct', 'bare', 'off', 'on', 'peer'], verdicts);
  publish(context, options, 'rounds', 'Throughput, latency and streams', text, results);
  return !hasMissed(verdicts);
}

async function runScale(context: Context, options: Options): Promise<boolean> {
  const { results, scenarios, servers } = await measureScale(context, options);
  const verdicts = judgeScale(results.rounds, scalePairs);
  publish(context, options, 'scale', 'Size', roundsText(results, scenarios, servers, verdicts), results);
  return !hasMissed(verdicts);
}

async function startOne(context: Context, hasInspector: boolean, ledger: 'on' | 'off'): Promise<Server> {
  const mock = await startMock(context);
  const store = await makeStore(context, mock, { keys: 10_000, policies: 200, records: 0 });
  return startGateway(context, store, { name: ledger, ledger, hasInspector });
}

async function runSoak(context: Context, options: Options): Promise<boolean> {
  const machine = describeMachine(context.root);
  const server = await startOne(context, false, 'on');
  const byId = new Map(scenariosOf(options.seconds).map((scenario) => [scenario.id, scenario]));
  const open = byId.get('open');
  const streams = byId.get('slow-streams');
  const closed = byId.get('c64');
  if (open === undefined || streams === undefined || closed === undefined)
    throw new Error('the soak has no scenarios');
  const { soakMinutes } = options;
  await warmUp(context, server, closed);
  context.say(`${soakMinutes} minutes at 500 requests/s with 100 slow streams at the same time`);
  const steady = { ...open, rate: 500 };
  const soaked = await soak(
    context,
    server,
    { steady, streams: { ...streams, connections: 200, rate: 20 } },
    soakMinutes,
  );
  const { verdict, slopeMbPerMinute } = judgeSoak(soaked);
  const { pinning, tools } = context;
  const text = [
    machineText({ machine, pinning, tools: tools.kind }),
    `- ${soakMinutes} minutes at 500 requests/s beside 100 slow streams; the first fifth is left out`,
    `- slope of the line through the memory seen: ${number(slopeMbPerMinute)} MB a minute`,
    ...soaked.problems.map((problem) => `- ${problem}`),
    '',
    verdictTable([verdict]),
  ].join('\n');
  publish(
    context,
    { ...options, isQuick: options.isQuick || soakMinutes < 10 },
    'soak',
    'Memory over time',
    text,
    soaked,
  );
  return !hasMissed([verdict]);
}

async function runParts(context: Context, options: Options): Promise<boolean> {
  const parts = await measureParts(context, options);
  const verdicts = judgeParts(parts);
  publish(context, options, 'parts', 'Parts', partsText(parts, verdicts), parts);
  return !hasMissed(verdicts);
}

async function runFaults(context: Context, options: Options): Promise<boolean> {
  const faults = await measureFaults(context, options);
  const verdicts = judgeFaults(faults);
  const isQuick = options.isQuick || !isWholeCount(options);
  publish(context, { ...options, isQuick }, 'faults', 'Faults', faultsText(faults, verdicts), faults);
  return !hasMissed(verdicts);
}

async function runProfile(context: Context, options: Options): Promise<boolean> {
  const server = await startOne(context, true, options.only.includes('off') ? 'off' : 'on');
  const [scenario] = chosen(
    scenariosOf(options.seconds),
    ({ id }) => id,
    options.only.length > 0 ? options.only : ['c64'],
  );
  if (scenario === undefined) throw new Error('the profile has no scenario');
  await warmUp(context, server, scenario);
  let rate = Number.NaN;
  const profiles = await profileWhile(server.running, async () => {
    rate = (await measure(context, server, scenario, false)).load.requestsPerSecond;
  });
  context.say(`${nameOf(server.name)}, ${scenario.title}: ${number(rate)} requests/s while profiled`);
  for (const { thread, profile } of profiles) {
    const path = join(context.out, `${server.name}-${scenario.id}-${thread}.cpuprofile`);
    writeFileSync(path, JSON.stringify(profile));
    context.say(`\n${thread}: busy ${(100 * busyShare(profile)).toFixed(0)} % of the time; ${path}`);
    for (const { name, where, share } of hottest(profile, 30))
      context.say(`${(100 * share).toFixed(1).padStart(5)} %  ${name}  ${where}`);
  }
  return true;
}

async function run(options: Options): Promise<number> {
  const context = openContext();
  const interrupt = (): void => {
    context.processes.killAll();
    void closeContext(context, false).finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  process.once('exit', () => context.processes.killAll());
  let isFine = false;
  try {
    if (options.isParts) isFine = await runParts(context, options);
    else if (options.isFaults) isFine = await runFaults(context, options);
    else if (options.isSteps) isFine = await measureSteps(context);
    else if (options.isProfiling) isFine = await runProfile(context, options);
    else if (options.isScaling) isFine = await runScale(context, options);
    else if (options.soakMinutes > 0) isFine = await runSoak(context, options);
    else isFine = await runCompare(context, options);
  } finally {
    await closeContext(context, !isFine);
  }
  return isFine ? 0 : 1;
}

try {
  process.exitCode = await run(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  process.exitCode = 1;
}
