// Owns a throw-away PostgreSQL cluster from the machine's own binaries, for tests that need the second database.

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);

export type PostgresCluster = {
  /** The URL of a database of its own, empty and fresh. */
  readonly createDatabase: () => Promise<string>;
  /** Stops the server at once and deletes its files. */
  readonly stop: () => Promise<void>;
};

/** The cluster, or the reason for a named skip. */
export type PostgresForTests =
  | { readonly cluster: PostgresCluster; readonly skip: false }
  | { readonly cluster: undefined; readonly skip: string };

/** Who runs the server: PostgreSQL refuses root, so root steps down to an unprivileged account. */
type Runner = { readonly prefix: readonly string[]; readonly uid: number | undefined };

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function subfolders(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The folder with `initdb` and `postgres`: the newest of Debian's, else one on the PATH; undefined without any. */
function findPostgresBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = [...subfolders(debian)].sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(':'),
  ];
  return folders.find(
    (folder) => isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'postgres')),
  );
}

function userId(name: string): number | undefined {
  try {
    return Number(execFileSync('id', ['-u', name], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  } catch {
    return undefined;
  }
}

function chooseRunner(): Runner {
  if (process.getuid?.() !== 0) return { prefix: [], uid: undefined };
  for (const name of ['postgres', 'nobody']) {
    const uid = userId(name);
    if (uid !== undefined) {
      return { prefix: ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'], uid };
    }
  }
  throw new Error('there is no unprivileged account to run PostgreSQL: add a user `postgres`');
}

async function freePort(): Promise<number> {
  const server = createServer();
  const address = await new Promise<AddressInfo | string | null>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address()));
  });
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

/** Runs what follows its arguments, and kills it and deletes the folder `$1` as soon as standard input closes. */
const reaper =
  'dir="$1"; shift; "$@" & pid=$!; cat >/dev/null; kill -QUIT $pid 2>/dev/null; wait $pid; rm -rf "$dir"';

async function initialise(bin: string, runner: Runner, folder: string, password: string): Promise<void> {
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (runner.uid !== undefined)
    for (const path of [folder, passwordFile]) chownSync(path, runner.uid, runner.uid);
  const [command = '', ...rest] = [...runner.prefix, join(bin, 'initdb')];
  const options = ['--no-sync', '-U', 'countersign', '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C.UTF-8'];
  await run(command, [...rest, '-D', join(folder, 'data'), `--pwfile=${passwordFile}`, ...options], {
    cwd: folder,
  });
}

function serve(bin: string, runner: Runner, folder: string, port: number): ChildProcess {
  const settings = {
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: '60',
    listen_addresses: '127.0.0.1',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = [
    join(bin, 'postgres'),
    '-D',
    join(folder, 'data'),
    '-p',
    String(port),
    '-k',
    folder,
    ...flags,
  ];
  const [command = '', ...rest] = [...runner.prefix, 'sh', '-c', reaper, 'reaper', folder, ...server];
  // Its own process group: Ctrl-C reaches the test only, and the closing pipe then reaps the server.
  const child = spawn(command, rest, { cwd: folder, detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  const { stdin } = child;
  if (stdin !== null && 'unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  return child;
}

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return await query(url, 'select 1');
    } catch (error) {
      if (Date.now() > deadline || child.exitCode !== null) throw error;
      await sleep(50);
    }
  }
}

/** Stops by closing standard input, so that stopping and dying take the same way; waits until the files are gone. */
async function stop(child: ChildProcess, folder: string): Promise<void> {
  const isOver = child.exitCode !== null || child.signalCode !== null;
  child.ref();
  const over = isOver ? undefined : new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await over;
  rmSync(folder, { recursive: true, force: true });
}

async function startCluster(bin: string): Promise<PostgresCluster> {
  const runner = chooseRunner();
  const folder = mkdtempSync(join(tmpdir(), 'countersign-pg-'));
  chmodSync(folder, 0o700);
  const password = randomBytes(12).toString('hex');
  await initialise(bin, runner, folder, password);
  const port = await freePort();
  const child = serve(bin, runner, folder, port);
  const urlOf = (name: string) => `postgresql://countersign:${password}@127.0.0.1:${port}/${name}`;
  try {
    await waitUntilReady(urlOf('postgres'), child);
  } catch (error) {
    await stop(child, folder);
    throw error;
  }
  return {
    async createDatabase() {
      const name = `test_${randomBytes(6).toString('hex')}`;
      await query(urlOf('postgres'), `create database ${name}`);
      return urlOf(name);
    },
    stop: () => stop(child, folder),
  };
}

/**
 * Starts one cluster for the calling test process (1–3 s); call it once and share it. Without PostgreSQL on the
 * machine the tests that need it are skipped by name, except with `CI=true`, where this throws. When the process
 * dies, in whatever way, the server stops and its files are deleted.
 */
export async function startPostgres(): Promise<PostgresForTests> {
  const bin = findPostgresBinaries();
  if (bin !== undefined) return { cluster: await startCluster(bin), skip: false };
  const reason =
    'PostgreSQL is not installed: no initdb and postgres in /usr/lib/postgresql/*/bin or on the PATH';
  if (process.env.CI === 'true') throw new Error(reason);
  return { cluster: undefined, skip: reason };
}
