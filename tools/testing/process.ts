// Owns the running of a child process under a time-out, with everything that it started ended with it.

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

export type Ending = {
  readonly code: number | undefined;
  /** Why it has no code, as a phrase for a person. */
  readonly cause: string | undefined;
};

export type Job = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly timeoutMs: number;
  /** File that gets its standard output and error. */
  readonly logPath: string;
};

/** The environment for children: a run of node:test inside another one would take itself for a part of it. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env;
  return rest;
}

/** Ends a process and all of its group: browsers and databases that a test left behind. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // The group has ended by itself, which is what we want.
  }
}

/** Runs a job to its end; never rejects. After the time-out, or after an interrupt, the whole group is ended. */
export async function runJob(job: Job): Promise<Ending> {
  const log = createWriteStream(job.logPath);
  const child = spawn(job.command, job.args, {
    cwd: job.cwd,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  let cause: string | undefined;
  const stop = (why: string): void => {
    cause ??= why;
    endGroup(child.pid);
  };
  const timer = setTimeout(
    () => stop(`was ended after ${Math.round(job.timeoutMs / 1000)} s`),
    job.timeoutMs,
  );
  const interrupt = (): void => stop('was interrupted');
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const code = await new Promise<number | undefined>((resolve) => {
    child.once('error', (error) => {
      cause ??= `could not start: ${error.message}`;
      resolve(undefined);
    });
    child.once('exit', (status, signal) => {
      if (status === null) cause ??= `was ended by ${signal ?? 'a signal'}`;
      resolve(status ?? undefined);
    });
  });
  clearTimeout(timer);
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  endGroup(child.pid);
  log.end();
  await finished(log).catch(() => undefined);
  return { code: cause === undefined ? code : undefined, cause };
}
