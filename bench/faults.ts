// Owns `--faults`: the long tests of kills under load and of revocation, and what they counted.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Context } from './context.ts';
import { readFigures } from './figures.ts';
import { describeMachine, type Machine } from './machine.ts';
import { type Options, wholeFaults } from './options.ts';
import { machineLines, verdictTable } from './report.ts';
import { count } from './table.ts';
import { judge, type Verdict } from './targets.ts';

const whole = z.number().int().nonnegative();
const killsShape = z.object({
  kills: whole,
  asked: whole,
  answered: whole,
  dispatched: whole,
  intents: whole,
  orphans: whole,
  lost: whole,
  entries: whole,
  startP50Ms: z.number().positive(),
  startMaxMs: z.number().positive(),
});
const interleavingsShape = z.object({
  interleavings: whole,
  late: whole,
  allowed: whole,
  cut: whole,
  refused: whole,
  stale: whole,
});

/** What the tests printed. */
export type FaultFigures = {
  readonly kills: z.infer<typeof killsShape>;
  readonly interleavings: z.infer<typeof interleavingsShape>;
};

export type Faults = FaultFigures & { readonly machine: Machine };

type Counts = Pick<Options, 'kills' | 'interleavings'>;

/** A test as it is run: its file, the name of the one test in it, and how many times. */
type LongTest = {
  readonly name: 'kills' | 'interleavings';
  readonly file: string;
  readonly pattern: string;
  readonly env: Readonly<Record<string, string>>;
};

/** Runs one test and returns what it printed. Rejects if the test fails. */
type RunTest = (longTest: LongTest) => Promise<string>;

/** Runs both tests. Throws if one of them fails, or did less than it was asked for. */
export async function countFaults(run: RunTest, counts: Counts): Promise<FaultFigures> {
  const interleavings = readFigures(
    await run({
      name: 'interleavings',
      file: 'tests/integration/gateway/revocation.test.ts',
      pattern: 'a revocation between decision and intent',
      env: { COUNTERSIGN_INTERLEAVINGS: String(counts.interleavings) },
    }),
    'interleavings',
    interleavingsShape,
  );
  const kills = readFigures(
    await run({
      name: 'kills',
      file: 'tests/fault/row-01-kill.test.ts',
      pattern: 'row 1: killed',
      env: { COUNTERSIGN_KILLS: String(counts.kills) },
    }),
    'kills',
    killsShape,
  );
  if (interleavings.interleavings < counts.interleavings)
    throw new Error(`${interleavings.interleavings} interleavings instead of ${counts.interleavings}`);
  if (kills.kills < counts.kills) throw new Error(`${kills.kills} kills instead of ${counts.kills}`);
  return { kills, interleavings };
}

/** Runs the long tests at the checkout of `context`, and says how far they have come. */
export async function measureFaults(context: Context, options: Options): Promise<Faults> {
  const machine = describeMachine(context.root);
  const directory = join(context.run, 'stores');
  mkdirSync(directory, { recursive: true });
  const run: RunTest = ({ name, file, pattern, env }) =>
    context.processes.run({
      name,
      command: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        // The test keeps every entry that it has read: 6 to 7 KB for each of half a million and more.
        `--max-old-space-size=${machine.memoryGiB * 512}`,
        `--test-name-pattern=${pattern}`,
        file,
      ],
      env: { COUNTERSIGN_LONG: '1', TMPDIR: directory, ...env },
      cwd: context.root,
      // The test is the load and the provider too.
      cpu: undefined,
      hasChildren: true,
      onLine: (line) => context.say(`${name}: ${line}`),
    });
  return { machine, ...(await countFaults(run, options)) };
}

/** Whether the counts are those that the results speak of. */
export function isWholeCount({ kills, interleavings }: Counts): boolean {
  return kills >= wholeFaults.kills && interleavings >= wholeFaults.interleavings;
}

/** The targets that the tests can answer. */
export function judgeFaults({ kills, interleavings }: FaultFigures): readonly Verdict[] {
  const none = { limit: 0, unit: 'count', better: 'less' } as const;
  const killed = `\`kill -9\` under load, ${count(kills.kills)} times`;
  return [
    judge({ id: 'lost', text: `${killed}: calls lost`, ...none }, [kills.lost]),
    judge({ id: 'start', text: `${killed}: longest start`, limit: 5, unit: 's', better: 'less' }, [
      kills.startMaxMs / 1_000,
    ]),
    judge(
      {
        id: 'late',
        text: `${count(interleavings.interleavings)} interleavings of revocation and intent: dispatched after it`,
        ...none,
      },
      [interleavings.late],
    ),
  ];
}

/** The section of the results. */
export function faultsText({ machine, kills, interleavings }: Faults, verdicts: readonly Verdict[]): string {
  return [
    ...machineLines(machine),
    '- not pinned: server, provider and load share the processors',
    `- kills: ${count(kills.asked)} calls asked, ${count(kills.dispatched)} dispatched, ${count(kills.answered)} answered, ${count(kills.intents)} intents, ${count(kills.orphans)} orphans closed, ${count(kills.entries)} entries verified offline`,
    `- from the start of the process until it is ready: median ${count(kills.startP50Ms)} ms, longest ${count(kills.startMaxMs)} ms`,
    `- interleavings: ${count(interleavings.allowed)} answered, ${count(interleavings.cut)} cut, ${count(interleavings.refused)} refused; ${count(interleavings.stale)} decisions had aged before their intent`,
    '',
    verdictTable(verdicts),
  ].join('\n');
}
