// Owns running the server as a process of its own, for tests that kill it, starve it or send it signals.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { initStore } from '@countersign/server/compose/init-store';
import { serverEnvironment, serverFlags } from '../../tools/runtime-flags.mjs';
import { at } from './server.ts';

const main = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));
const startLimitMs = 30_000;

/** A variable that is undefined is not set. */
export type Environment = { readonly [name: string]: string | undefined };

export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type ServerProcess = {
  readonly url: string;
  /** Where administration listens: the same, unless it has an address of its own. */
  readonly managementUrl: string;
  readonly port: number;
  readonly pid: number;
  /** Milliseconds from the spawn to the line that says `ready`. */
  readonly startMs: number;
  /** Intents of former runs that this start closed. */
  readonly orphansClosed: number;
  /** Everything that it printed, newest last, of both streams. */
  readonly lines: readonly string[];
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Resolves when the process has ended and its output is read. */
  readonly ended: Promise<Ended>;
  /** Kills it if it runs, and waits. */
  readonly kill: () => Promise<void>;
};

export type ProcessOptions = {
  readonly env: Environment;
  /** What runs the server, before the path of Node: `['prlimit', '--fsize=…']`. */
  readonly prefix?: readonly string[];
  /** Flags of Node. */
  readonly flags?: readonly string[];
  /** What is started: the server itself unless given, from the repository's root. */
  readonly main?: string;
  /** Flags of the server. */
  readonly words?: readonly string[];
};

/** The environment of a server over the embedded store in a folder, on any free port. */
export function processEnv(directory: string, more: Environment = {}): Environment {
  return {
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_DATA_DIR: directory,
    COUNTERSIGN_PUBLIC_URL: 'http://gateway.test',
    COUNTERSIGN_EGRESS_ALLOW: '127.0.0.1',
    ...more,
  };
}

/** Makes the organization of an empty store, without a server. */
export function initProcessStore(env: Environment): ReturnType<typeof initStore> {
  return initStore(env, { slug: 'acme', ownerEmail: 'alice@example.com', ownerName: 'Alice' });
}

function parseLine(line: string): unknown {
  try {
    const value: unknown = JSON.parse(line);
    return value;
  } catch {
    return undefined;
  }
}

/** A process as every way to start the server starts it. */
function spawnServer(options: ProcessOptions): ChildProcess {
  const [command = process.execPath, ...rest] = [
    ...(options.prefix ?? []),
    process.execPath,
    ...serverFlags,
    ...(options.flags ?? []),
    options.main === undefined ? main : fileURLToPath(new URL(`../../${options.main}`, import.meta.url)),
    ...(options.words ?? []),
  ];
  return spawn(command, rest, {
    env: { PATH: process.env.PATH ?? '', ...serverEnvironment, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Starts the server and does not wait until it is ready: for starts that must fail. */
export function runServer(options: ProcessOptions): {
  readonly lines: readonly string[];
  readonly ended: Promise<Ended>;
  readonly kill: () => void;
} {
  const { lines, ended, child } = watch(options);
  return { lines, ended, kill: () => void child.kill('SIGKILL') };
}

function watch(options: ProcessOptions, onLine: (line: string) => void = () => {}) {
  const child = spawnServer(options);
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (input === null) continue;
    createInterface({ input }).on('line', (line) => {
      if (lines.length < 20_000) lines.push(line);
      onLine(line);
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, lines, ended };
}

/** Starts the server and waits until it says that it is ready. Rejects with its output if it ends before. */
export async function startProcess(options: ProcessOptions): Promise<ServerProcess> {
  const started = performance.now();
  const ready = Promise.withResolvers<unknown>();
  const { child, lines, ended } = watch(options, (line) => {
    const parsed = parseLine(line);
    if (at(parsed, 'msg') === 'ready') ready.resolve(parsed);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), startLimitMs);
  void ended.then(() => ready.reject(new Error(`the server did not start:\n${lines.join('\n')}`)));
  const line = await ready.promise.finally(() => clearTimeout(timer));
  const startMs = performance.now() - started;
  const url = at(line, 'url');
  const managementUrl = at(line, 'managementUrl');
  const orphansClosed = at(line, 'orphansClosed');
  if (
    typeof url !== 'string' ||
    typeof managementUrl !== 'string' ||
    typeof orphansClosed !== 'number' ||
    child.pid === undefined
  ) {
    throw new TypeError(`the line of the start lacks its members: ${JSON.stringify(line)}`);
  }
  const { pid } = child;
  return {
    url,
    managementUrl,
    port: Number(new URL(url).port),
    pid,
    startMs,
    orphansClosed,
    lines,
    ended,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Resident memory of a process now, in bytes; 0 once it has gone. */
export function residentBytes(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Follows resident memory; `stop` gives the highest value that was seen, in bytes. */
export function watchMemory(pid: number): { readonly stop: () => number } {
  let highest = residentBytes(pid);
  const timer = setInterval(() => {
    highest = Math.max(highest, residentBytes(pid));
  }, 25);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(highest, residentBytes(pid));
    },
  };
}

/** Waits for one event that must come within a bound. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const abort = new AbortController();
  const late = once(AbortSignal.any([abort.signal, AbortSignal.timeout(ms)]), 'abort').then(() => {
    throw new Error(`${what} did not come within ${ms} ms`);
  });
  late.catch(() => {});
  return Promise.race([promise, late]).finally(() => abort.abort());
}
