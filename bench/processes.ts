// Owns the benchmark's child processes: each pinned, each logged, all of them ended whatever happens.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export type Program = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The processor to run on with all threads; undefined: wherever the system likes. */
  readonly cpu: number | undefined;
  /** Whether it starts processes of its own: they are ended with it. */
  readonly hasChildren?: boolean;
  /** For `run`: is given each line of its standard error as it comes. */
  readonly onLine?: (line: string) => void;
};

export type Running = {
  readonly name: string;
  readonly pid: number;
  readonly isAlive: () => boolean;
  /** The end of what it has printed. */
  readonly log: () => string;
  /** Ends it: asks first, and insists after a few seconds. */
  readonly stop: () => Promise<void>;
};

export type Processes = {
  /** Starts a program that goes on until it is stopped. */
  readonly start: (program: Program) => Running;
  /** Runs a program to its end and returns what it printed. Rejects if it fails. */
  readonly run: (program: Program) => Promise<string>;
  readonly stopAll: () => Promise<void>;
  /** Ends everything at once: for when this process itself is ending. */
  readonly killAll: () => void;
};

const stopMs = 5_000;

/** Settings of whoever runs the benchmark must not reach what is measured. */
function cleanEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(COUNTERSIGN_|NODE_TEST_CONTEXT$|NODE_OPTIONS$|DATABASE_URL$|REDIS_URL$)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...more };
}

function commandLine(program: Program): readonly [string, readonly string[]] {
  if (program.cpu === undefined) return [program.command, program.args];
  // taskset replaces itself, so the process id is the program's own.
  return ['taskset', ['-c', String(program.cpu), program.command, ...program.args]];
}

/** A program with children leads a group of processes; what is left of that is ended with it. */
function isLeader(program: Program): boolean {
  return program.hasChildren === true && process.platform !== 'win32';
}

/** Ends a child at once, and all that it leads. */
function killChild(child: ChildProcess, program: Program): void {
  child.kill('SIGKILL');
  if (!isLeader(program) || child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended by itself.
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await exited;
  clearTimeout(timer);
}

/** What a child prints until it ends. Rejects if it fails. */
function printedBy(child: ChildProcess, { name, onLine }: Program): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let out = '';
  let err = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    out += bytes.toString('utf8');
  });
  if (onLine !== undefined && child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', onLine);
  } else {
    child.stderr?.on('data', (bytes: Buffer) => {
      err += bytes.toString('utf8');
    });
  }
  child.once('error', (error) => reject(new Error(`${name} cannot start: ${error.message}`)));
  child.once('close', (code) => {
    if (code === 0) resolve(out);
    else reject(new Error(`${name} failed: ${err.slice(-2000) || out.slice(-2000)}`));
  });
  return promise;
}

/** The children of one benchmark run; their output goes to files in `logs`. */
export function createProcesses(logs: string): Processes {
  mkdirSync(logs, { recursive: true });
  const children = new Map<ChildProcess, Program>();

  function launch(program: Program, stdout: 'pipe' | number, stderr: 'pipe' | number): ChildProcess {
    const [command, args] = commandLine(program);
    const child = spawn(command, args, {
      stdio: ['ignore', stdout, stderr],
      env: cleanEnvironment(program.env),
      detached: isLeader(program),
      ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
    });
    children.set(child, program);
    child.once('exit', () => {
      children.delete(child);
      killChild(child, program);
    });
    return child;
  }

  return {
    start(program) {
      const logPath = join(logs, `${program.name}.log`);
      const fd = openSync(logPath, 'a');
      const child = launch(program, fd, fd);
      closeSync(fd);
      child.once('error', () => children.delete(child));
      return {
        name: program.name,
        pid: child.pid ?? -1,
        isAlive: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
        log: () => readFileSync(logPath, 'utf8').slice(-2000),
        stop: () => stopChild(child),
      };
    },
    run(program) {
      return printedBy(launch(program, 'pipe', 'pipe'), program);
    },
    async stopAll() {
      await Promise.all([...children.keys()].map(stopChild));
    },
    killAll() {
      for (const [child, program] of children) killChild(child, program);
    },
  };
}

/** A port of the loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('there is no free port');
  return address.port;
}

/** Waits until `GET path` is answered below 400. Throws with the end of the log if that never comes. */
export async function waitUntilReady(
  running: Running,
  port: number,
  path: string,
  timeoutMs: number,
): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (performance.now() < until && running.isAlive()) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(1_000) });
      await response.arrayBuffer();
      if (response.status < 400) return;
    } catch {
      // It does not listen yet.
    }
    await sleep(50);
  }
  const how = running.isAlive() ? `is not ready after ${timeoutMs / 1000} s` : 'has ended';
  throw new Error(`${running.name} ${how}; its log ends with:\n${running.log()}`);
}
