// Owns `--parts`: what detectors, decisions and the verification of a log take alone, each in a child of its own.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { serverEnvironment, serverFlags } from '../tools/runtime-flags.mjs';
import type { Context } from './context.ts';
import { readFigures } from './figures.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { Options } from './options.ts';
import { machineLines, verdictTable } from './report.ts';
import { median, spreadOf } from './statistics.ts';
import { count, number, spread } from './table.ts';
import { judge, type Verdict } from './targets.ts';

const times = z.array(z.number().positive()).min(1);
const whole = z.number().int().nonnegative();
const detectorsShape = z.object({
  texts: z.array(
    z.object({ name: z.string(), kind: z.enum(['realistic', 'hostile']), ms20: times, ms200: times }),
  ),
});
const decisionsShape = z.object({ rules: whole, p50: times, p99: times });
const differentialShape = z.object({
  requests: whole,
  agreed: whole,
  allow: whole,
  deny: whole,
  erring: whole,
});
const mutationsShape = z.object({ mutated: whole, found: whole, kinds: whole });
const verificationShape = z.object({ entries: whole, bytesEach: whole, tiles: times, whole: times });

/** What the children printed; `texts` are in 20,000 and 200,000 characters, and prose is ASCII. */
export type PartFigures = {
  readonly detectors: z.infer<typeof detectorsShape>;
  readonly decisions: z.infer<typeof decisionsShape>;
  readonly differential: z.infer<typeof differentialShape>;
  readonly mutations: z.infer<typeof mutationsShape>;
  readonly verification: z.infer<typeof verificationShape>;
};

export type Parts = PartFigures & {
  readonly machine: Machine;
  readonly cpu: number | undefined;
  readonly rounds: number;
};

/** How much of it: the demanded counts, or what a quick look needs. */
export type PartSizes = {
  readonly rounds: number;
  readonly requests: number;
  readonly mutations: number;
  readonly entries: number;
};

function proseOf({ texts }: PartFigures['detectors']): PartFigures['detectors']['texts'][number] {
  const prose = texts.find(({ name }) => name === 'prose');
  if (prose === undefined) throw new Error('the detectors have seen no prose');
  return prose;
}

const ledger = 'packages/core/src/ledger/verify-log.test.ts';
const oracle = 'packages/core/src/policy/differential.test.ts';

/** Runs one child and returns what it printed. Rejects if it fails. */
type RunChild = (
  name: string,
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
) => Promise<string>;

/** Runs the children one after the other. Throws if one of them fails, or did less than it was asked for. */
export async function measureFigures(run: RunChild, sizes: PartSizes): Promise<PartFigures> {
  const rounds = String(sizes.rounds);
  const detectors = readFigures(
    await run('detectors', ['packages/core/src/classify/classify.bench.ts', rounds]),
    'detectors',
    detectorsShape,
  );
  const decisions = readFigures(
    await run('decisions', ['packages/core/src/policy/decide.bench.ts', rounds]),
    'decisions',
    decisionsShape,
  );
  const differential = readFigures(
    await run('differential', ['--test-name-pattern=random requests', oracle], {
      COUNTERSIGN_DIFFERENTIAL: String(sizes.requests),
    }),
    'differential',
    differentialShape,
  );
  const mutations = readFigures(
    await run('mutations', ['--test-name-pattern=every random mutation is found', ledger], {
      COUNTERSIGN_LEDGER_MUTATIONS: String(sizes.mutations),
    }),
    'mutations',
    mutationsShape,
  );
  const verification = readFigures(
    await run('verification', [
      'packages/sdk/src/ledger/verify-directory.bench.ts',
      String(sizes.entries),
      rounds,
    ]),
    'verification',
    verificationShape,
  );
  proseOf(detectors);
  if (decisions.rules < 2_000) throw new Error(`decisions were taken over ${decisions.rules} policies only`);
  if (differential.requests < sizes.requests)
    throw new Error(`${differential.requests} requests were compared instead of ${sizes.requests}`);
  if (mutations.mutated !== sizes.mutations)
    throw new Error(`${mutations.mutated} mutations were tried instead of ${sizes.mutations}`);
  if (verification.entries !== sizes.entries)
    throw new Error(`${verification.entries} entries were verified instead of ${sizes.entries}`);
  return { detectors, decisions, differential, mutations, verification };
}

/** Measures the parts at the checkout of `context`; temporary files lie on the disk of that checkout. */
export async function measureParts(context: Context, options: Options): Promise<Parts> {
  const machine = describeMachine(context.root);
  const cpu = context.pinning.gateway;
  const directory = join(context.run, 'stores');
  mkdirSync(directory, { recursive: true });
  const run: RunChild = (name, args, env = {}) => {
    context.say(`measuring ${name}`);
    return context.processes.run({
      name,
      command: process.execPath,
      args: [...serverFlags, ...args],
      env: { ...serverEnvironment, TMPDIR: directory, ...env },
      cwd: context.root,
      cpu,
    });
  };
  const { rounds, isQuick } = options;
  const counts = isQuick
    ? { requests: 4_000, mutations: 600, entries: 100_000 }
    : { requests: 100_000, mutations: 10_000, entries: 1_000_000 };
  return { machine, cpu, rounds, ...(await measureFigures(run, { rounds, ...counts })) };
}

/** The targets that the parts can answer. */
export function judgeParts(figures: PartFigures): readonly Verdict[] {
  const { detectors, decisions, differential, mutations, verification } = figures;
  const prose = proseOf(detectors);
  const ms = { unit: 'ms', better: 'less' } as const;
  const micros = { unit: 'µs', better: 'less' } as const;
  const decision = `a decision over ${count(decisions.rules)} policies, request building included`;
  return [
    judge({ id: 'detect-20', text: 'built-in detectors, 20 KB of prose', limit: 0.2, ...ms }, prose.ms20),
    judge({ id: 'detect-200', text: 'built-in detectors, 200 KB of prose', limit: 2, ...ms }, prose.ms200),
    judge({ id: 'decide-p50', text: `${decision}: p50`, limit: 10, ...micros }, decisions.p50),
    judge({ id: 'decide-p99', text: `${decision}: p99`, limit: 100, ...micros }, decisions.p99),
    judge(
      {
        id: 'differential',
        text: `${count(differential.requests)} random requests: compiled rules, reference and Cedar disagree`,
        limit: 0,
        unit: 'count',
        better: 'less',
      },
      [differential.requests - differential.agreed],
    ),
    judge(
      {
        id: 'mutations',
        text: `${count(mutations.mutated)} random mutations of a log's files: not found`,
        limit: 0,
        unit: 'count',
        better: 'less',
      },
      [mutations.mutated - mutations.found],
    ),
    judge(
      {
        id: 'verify',
        text: `${count(verification.entries)} entries verify offline, copies included`,
        limit: 60,
        unit: 's',
        better: 'less',
      },
      verification.whole,
    ),
  ];
}

/** The section of the results. */
export function partsText(parts: Parts, verdicts: readonly Verdict[]): string {
  const { detectors, mutations, verification } = parts;
  const worst = detectors.texts.toSorted((a, b) => median(b.ms200) - median(a.ms200))[0];
  const pinned =
    parts.cpu === undefined
      ? 'not pinned'
      : `what is measured, with all of its threads, on processor ${parts.cpu} alone`;
  const slowest =
    worst === undefined
      ? []
      : [
          `- worst of ${detectors.texts.length} sample texts for the detectors, \`${worst.name}\` (${worst.kind}): ${spread(spreadOf(worst.ms20))} ms for 20,000 characters, ${spread(spreadOf(worst.ms200))} ms for 200,000`,
        ];
  return [
    ...machineLines(parts.machine),
    `- ${pinned}; figures are medians of ${parts.rounds} rounds`,
    ...slowest,
    `- mutations of ${mutations.kinds} kinds, of entries, tiles and checkpoint, and by who holds the key against an earlier head`,
    `- entries of ${count(verification.bytesEach)} bytes; without the copies for common tools ${number(median(verification.tiles))} s`,
    '',
    verdictTable(verdicts),
  ].join('\n');
}
