// Owns the demo's throw-away house: a folder, a server process on any free port, the command line, and their end.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { at, parsed, textAt } from './json.ts';

const cliPath = join(import.meta.dirname, '..', '..', 'packages', 'cli', 'src', 'main.ts');
const flags = ['--disable-warning=ExperimentalWarning', cliPath];
const startLimitMs = 30_000;

export type Ran = { readonly code: number; readonly out: string; readonly err: string };

export type House = {
  readonly folder: string;
  readonly store: string;
  readonly url: string;
  /** Runs `countersign` with these words, and with the management key and the address in its environment. */
  readonly cli: (...words: readonly string[]) => Promise<Ran>;
  /** A management operation that must succeed; its answer. */
  readonly manage: (method: string, path: string, body?: unknown) => Promise<unknown>;
  /** What `countersign init` made: ids, and the first management key. */
  readonly made: unknown;
  /** Lets the server drain and end; its exit code. */
  readonly stop: () => Promise<number | null>;
  /** Kills what runs and removes the folder. */
  readonly close: () => void;
};

/** Nothing of the caller's environment but what programs need: no DATABASE_URL, no settings, no key. */
function environment(more: { readonly [name: string]: string }): NodeJS.ProcessEnv {
  const kept = ['PATH', 'NODE_COMPILE_CACHE', 'TMPDIR', 'TEMP', 'SystemRoot'];
  const own = Object.fromEntries(kept.map((name) => [name, process.env[name]]));
  return { ...own, ...more };
}

function runCli(words: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...flags, ...words],
      { env, timeout: startLimitMs },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : (child.exitCode ?? 1), out, err });
      },
    );
  });
}

/** Resolves with the address that the server says it is ready on. */
function whenReady(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const lines: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    if (input === null) continue;
    createInterface({ input }).on('line', (text) => {
      const line = parsed(text);
      lines.push(text);
      if (at(line, 'msg') === 'ready') resolve(textAt(line, 'url'));
    });
  }
  const late = setTimeout(() => child.kill('SIGKILL'), startLimitMs);
  child.once('close', () => reject(new Error(`the server did not start:\n${lines.join('\n')}`)));
  return promise.finally(() => clearTimeout(late));
}

async function request(url: string, key: string, method: string, path: string, body: unknown) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = parsed(await response.text());
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Makes a folder with an organization in it, and starts the server over it. */
export async function openHouse(): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-demo-'));
  const store = join(folder, 'store');
  let child: ChildProcess | undefined;
  const close = (): void => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', close);
  const settings = {
    COUNTERSIGN_LISTEN: '127.0.0.1:0',
    COUNTERSIGN_DATA_DIR: store,
    COUNTERSIGN_PUBLIC_URL: 'http://gateway.example.com',
    // The external model of the demo is on loopback, which is not dialled unless it is listed.
    COUNTERSIGN_EGRESS_ALLOW: '127.0.0.1',
  };
  const words = [
    'init',
    '--org',
    'example',
    '--owner',
    'alice@example.com',
    '--owner-name',
    'Alice',
    '--json',
  ];
  const init = await runCli(words, environment(settings));
  if (init.code !== 0) throw new Error(`countersign init: ${init.err}`);
  const made = parsed(init.out);
  const key = textAt(made, 'managementKey');
  const server = spawn(process.execPath, [...flags, 'serve'], {
    env: environment(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = server;
  const ended = new Promise<number | null>((resolve) => {
    server.once('close', resolve);
  });
  const url = await whenReady(server);
  return {
    folder,
    store,
    url,
    made,
    cli: (...asked) => runCli(asked, environment({ COUNTERSIGN_URL: url, COUNTERSIGN_KEY: key })),
    manage: (method, path, body) => request(url, key, method, path, body),
    stop: () => {
      server.kill('SIGTERM');
      return ended;
    },
    close,
  };
}
