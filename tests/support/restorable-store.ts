// Owns stores that are backed up and restored in tests: an embedded one, and one on PostgreSQL.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Client } from 'pg';
import type { PostgresCluster } from './postgres.ts';
import { requestApi, textAt } from './server.ts';
import {
  type Environment,
  type initProcessStore,
  processEnv,
  type ServerProcess,
  startProcess,
  within,
} from './server-process.ts';

export type Restorable = {
  readonly env: Environment;
  readonly checkpoints: string;
  /** Copies the store, without the file of checkpoints. */
  readonly backUp: () => Promise<void>;
  readonly restore: () => Promise<void>;
};

/** A folder for the time of the test. */
export function folderOf(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'countersign-restored-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** An embedded store, whose file of checkpoints lies elsewhere. */
export function embedded(t: TestContext): Restorable {
  const root = folderOf(t);
  const [data, backup] = [join(root, 'data'), join(root, 'backup')];
  const checkpoints = join(root, 'elsewhere', 'checkpoints.log');
  const copy = (from: string, to: string) => {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true });
  };
  return {
    env: processEnv(data, { COUNTERSIGN_CHECKPOINT_FILE: checkpoints }),
    checkpoints,
    backUp: async () => copy(data, backup),
    restore: async () => copy(backup, data),
  };
}

/** A store in a database of its own. */
export async function onPostgres(t: TestContext, cluster: PostgresCluster | undefined): Promise<Restorable> {
  assert.ok(cluster !== undefined);
  const url = new URL(await cluster.createDatabase());
  const name = url.pathname.slice(1);
  const copy = async (from: string, to: string) => {
    const client = new Client({ connectionString: new URL('/postgres', url).href });
    await client.connect();
    await client.query(`drop database if exists ${to}`);
    await client.query(`create database ${to} template ${from}`);
    await client.end();
  };
  const root = folderOf(t);
  const env = { DATABASE_URL: url.href, COUNTERSIGN_MASTER_KEY: randomBytes(32).toString('hex') };
  return {
    env: processEnv(root, env),
    checkpoints: join(root, 'checkpoints.log'),
    backUp: () => copy(name, `${name}_backup`),
    restore: () => copy(`${name}_backup`, name),
  };
}

export type Made = Awaited<ReturnType<typeof initProcessStore>>;

/** Runs the server for the time of `work`, and ends it cleanly. */
export async function serving<T>(
  t: TestContext,
  env: Environment,
  work: (running: ServerProcess) => Promise<T>,
): Promise<T> {
  const running = await startProcess({ env });
  t.after(running.kill);
  const value = await work(running);
  running.signal('SIGTERM');
  await within(20_000, 'the end of the process', running.ended);
  return value;
}

/** A run of the server that makes some workspaces. Gives the newest checkpoint. */
export function runOnce(
  t: TestContext,
  env: Environment,
  { managementKey }: Made,
  names: readonly string[],
): Promise<string> {
  return serving(t, env, async ({ url }) => {
    for (const name of names) {
      const answer = await requestApi(url, managementKey, 'POST', '/workspaces', { name });
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
    }
    const { body } = await requestApi(url, managementKey, 'GET', '/ledger/checkpoint', undefined);
    return textAt(body, 'checkpoint');
  });
}

/** The same environment for a command line in this process. */
export function plainEnv(env: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
