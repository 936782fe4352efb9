// Owns the running of one stage: whatever kind it is, outcomes come out of it.

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Ending, runJob } from './process.ts';
import type { Outcome } from './reporter.ts';
import { filesOf, type Stage } from './stages.ts';

export type StageResult = {
  readonly name: string;
  readonly outcomes: readonly Outcome[];
  readonly seconds: number;
};

type Place = { readonly root: string; readonly logs: string; readonly filters: readonly string[] };

const reporterPath = join(import.meta.dirname, 'reporter.ts');
const watchdogPath = join(import.meta.dirname, 'watchdog.ts');

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const tail = (text: string, lines: number): string => text.trimEnd().split('\n').slice(-lines).join('\n');

const howItEnded = ({ code, cause }: Ending): string => cause ?? `ended with code ${code}`;

function isOutcome(value: unknown): value is Outcome {
  return typeof value === 'object' && value !== null && 'kind' in value && 'name' in value;
}

/** Reads the reporter's lines; a last line that was cut off by a time-out is left out. */
function readOutcomes(text: string): readonly Outcome[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return isOutcome(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}

/**
 * Runs test files under node:test, two at a time, and returns the outcome of every test.
 * A run that breaks off, or that fails without a failing test, is a failure of its own.
 */
export async function runTestFiles(
  name: string,
  files: readonly string[],
  limits: { readonly timeoutMs: number; readonly testTimeoutMs: number },
  place: Pick<Place, 'root' | 'logs'>,
): Promise<readonly Outcome[]> {
  const events = join(place.logs, `${name}.jsonl`);
  rmSync(events, { force: true });
  const ending = await runJob({
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      `--import=${pathToFileURL(watchdogPath)}`,
      '--test',
      '--test-concurrency=2',
      `--test-timeout=${limits.testTimeoutMs}`,
      '--test-reporter=spec',
      `--test-reporter-destination=${join(place.logs, `${name}.log`)}`,
      `--test-reporter=${reporterPath}`,
      `--test-reporter-destination=${events}`,
      ...files,
    ],
    cwd: place.root,
    timeoutMs: limits.timeoutMs,
    logPath: join(place.logs, `${name}.out.log`),
  });
  const outcomes = readOutcomes(read(events));
  const failed = outcomes.some((outcome) => outcome.kind === 'failed');
  if (ending.code === 0 && outcomes.length > 0) return outcomes;
  if (ending.code === 1 && failed) return outcomes;
  const text = `the run ${howItEnded(ending)}\n${tail(read(join(place.logs, `${name}.out.log`)), 60)}`;
  return [
    ...outcomes,
    { kind: 'failed', name: `stage ${name} runs to its end`, file: '', line: 1, ms: 0, text },
  ];
}

/** Runs a program that must end with 0, as one test. */
async function runProgram(
  name: string,
  claim: string,
  command: string,
  args: readonly string[],
  timeoutMs: number,
  place: Place,
): Promise<Outcome> {
  const logPath = join(place.logs, `${name.replaceAll('/', '-')}.log`);
  const started = performance.now();
  const ending = await runJob({ command, args, cwd: place.root, timeoutMs, logPath });
  const base = { name: claim, file: name, line: 1, ms: Math.round(performance.now() - started) };
  if (ending.code === 0) return { ...base, kind: 'passed' };
  return { ...base, kind: 'failed', text: `${howItEnded(ending)}\n${tail(read(logPath), 120)}` };
}

async function outcomesOf(stage: Stage, files: readonly string[], place: Place): Promise<readonly Outcome[]> {
  switch (stage.kind) {
    case 'gate':
      return [
        await runProgram(
          stage.name,
          stage.claim,
          process.execPath,
          [stage.script, ...stage.args],
          stage.timeoutMs,
          place,
        ),
      ];
    case 'tests':
      return files.length === 0 ? [] : await runTestFiles(stage.name, files, stage, place);
    case 'scripts': {
      const outcomes: Outcome[] = [];
      for (const file of files) {
        outcomes.push(
          await runProgram(
            file,
            `${file} runs to its end`,
            join(place.root, file),
            [],
            stage.timeoutMs,
            place,
          ),
        );
      }
      return outcomes;
    }
  }
}

/** Runs a stage. With path filters gates are left out, and a stage without a matching file returns no outcome. */
export async function runStage(stage: Stage, place: Place): Promise<StageResult> {
  mkdirSync(place.logs, { recursive: true });
  const started = performance.now();
  const isFiltered = stage.kind === 'gate' && place.filters.length > 0;
  const outcomes = isFiltered
    ? []
    : await outcomesOf(stage, filesOf(stage, place.root, place.filters), place);
  return { name: stage.name, outcomes, seconds: (performance.now() - started) / 1000 };
}
