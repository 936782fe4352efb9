// Owns what every part of a benchmark run shares: its children, its tools, its processors, its folders.

import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type BodyName, writeBodies } from './bodies.ts';
import { choosePinning, type Pinning } from './machine.ts';
import { createProcesses, type Processes } from './processes.ts';
import { buildTools, type LoadTools } from './tools/build.ts';

export type Context = {
  readonly root: string;
  /** Raw results; kept. */
  readonly out: string;
  /** Stores, logs and bodies of this run; stores are removed at its end. */
  readonly run: string;
  readonly processes: Processes;
  readonly tools: LoadTools;
  readonly pinning: Pinning;
  readonly bodies: Readonly<Record<BodyName, string>>;
  readonly say: (line: string) => void;
};

/** Removes what runs that were killed have left. */
function removeOldRuns(out: string): void {
  for (const name of readdirSync(out)) {
    const pid = Number(/^run-(\d+)$/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(out, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Prepares a run. What it measures lies on the disk of the checkout: a folder in memory would flatter the ledger. */
export function openContext(): Context {
  const root = join(import.meta.dirname, '..');
  const out = join(import.meta.dirname, '.out');
  const run = join(out, `run-${process.pid}`);
  mkdirSync(run, { recursive: true });
  removeOldRuns(out);
  return {
    root,
    out,
    run,
    processes: createProcesses(join(run, 'logs')),
    tools: buildTools(),
    pinning: choosePinning(),
    bodies: writeBodies(join(run, 'bodies')),
    say: (line) => process.stdout.write(`${line}\n`),
  };
}

/** Ends every child and removes the run's folder; logs stay when `keepLogs`. */
export async function closeContext(context: Context, keepLogs: boolean): Promise<void> {
  await context.processes.stopAll();
  const gone = keepLogs ? [join(context.run, 'stores')] : [context.run];
  for (const path of gone) rmSync(path, { recursive: true, force: true });
}
