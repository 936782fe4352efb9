// Owns `npm test`: installs what the tests need, runs the stages in order, and closes with the counts.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installRequirements } from './testing/install.ts';
import type { Outcome } from './testing/reporter.ts';
import { runStage, type StageResult } from './testing/run-stage.ts';
import { type Stage, stages } from './testing/stages.ts';
import { closingLine, countOutcomes, detailLines, stageLine } from './testing/summary.ts';

const root = join(import.meta.dirname, '..');
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Stages that need nothing but what the lockfile installs. */
const isSelfContained = (stage: Stage): boolean => stage.kind === 'gate' || stage.name === 'house';

type Selection = {
  readonly chosen: readonly Stage[];
  readonly filters: readonly string[];
  readonly isWhole: boolean;
};

/** Reads `npm test -- unit`, `--only unit`, or parts of paths; undefined when a name means nothing. */
function select(argv: readonly string[]): Selection | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { only: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const asked = [...(values.only ?? []), ...positionals];
  const filters = asked.filter((one) => /[/.]/.test(one));
  const names = asked.filter((one) => !filters.includes(one));
  if (names.some((name) => !stages.some((stage) => stage.name === name))) return undefined;
  const chosen = names.length === 0 ? stages : stages.filter((stage) => names.includes(stage.name));
  return { chosen, filters, isWhole: asked.length === 0 };
}

/** Installs for a whole run, or for chosen stages that need it; with CI=true what is missing then is a failure. */
function prepare({ chosen, filters }: Selection, isCi: boolean): StageResult {
  const started = performance.now();
  const isNeeded = filters.length === 0 && chosen.some((stage) => !isSelfContained(stage));
  const missing = isNeeded ? installRequirements(say) : [];
  const outcomes = missing.map(
    ({ debian }): Outcome => ({
      kind: isCi ? 'failed' : 'skipped',
      name: `${debian} is there for the tests that need it`,
      file: 'tools/testing/requirements.ts',
      line: 1,
      ms: 0,
      reason: 'not installed',
      text: `could not be installed; run \`apt-get install ${debian}\` as root`,
    }),
  );
  return { name: 'prepare', outcomes, seconds: (performance.now() - started) / 1000 };
}

async function main(): Promise<number> {
  const selection = select(process.argv.slice(2));
  if (selection === undefined) {
    process.stderr.write(
      `name one of the stages ${stages.map((stage) => stage.name).join(', ')}, or a part of a path\n`,
    );
    return 2;
  }
  const isCi = process.env.CI === 'true';
  // A folder of its own: several runs may share a checkout.
  const logs = join(root, '.cache', 'test', String(process.pid));
  mkdirSync(logs, { recursive: true });
  const results: StageResult[] = [];
  const finish = (result: StageResult): void => {
    results.push(result);
    if (result.outcomes.length === 0 && (!selection.isWhole || result.name === 'prepare')) return;
    say(stageLine(result, isCi));
    for (const line of detailLines(result, root)) say(line);
  };
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  finish(prepare(selection, isCi));
  for (const stage of selection.chosen) {
    if (!interrupted) finish(await runStage(stage, { root, logs, filters: selection.filters }));
  }
  const counts = countOutcomes(
    results.flatMap((result) => result.outcomes),
    isCi,
  );
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0);
  const isNothing = counts.passed + counts.failed + counts.skipped === 0;
  if (isNothing) say('no test was found; name a stage or a part of a path that exists');
  const hasFailed = counts.failed > 0 || isNothing || interrupted;
  if (!hasFailed) rmSync(logs, { recursive: true, force: true });
  say(`\n${seconds.toFixed(0)} s${hasFailed ? `; logs are in .cache/test/${process.pid}` : ''}`);
  say(closingLine(counts));
  return hasFailed ? 1 : 0;
}

process.exitCode = await main();
