// Claims about a store that was restored from a backup: no log goes on from where the backup left it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { runCli } from '@countersign/cli/run-cli';
import { Client } from 'pg';
import { startPostgres } from '../support/postgres.ts';
import { at, requestApi, textAt } from '../support/server.ts';
import {
  type Environment,
  initProcessStore,
  processEnv,
  runServer,
  startProcess,
  within,
} from '../support/server-process.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

type Restorable = {
  readonly env: Environment;
  readonly checkpoints: string;
  /** Copies the store, without the file of checkpoints. */
  readonly backUp: () => Promise<void>;
  readonly restore: () => Promise<void>;
};

function folderOf(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'countersign-restored-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function embedded(t: TestContext): Restorable {
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

async function onPostgres(t: TestContext): Promise<Restorable> {
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

type Made = Awaited<ReturnType<typeof initProcessStore>>;

/** A run of the server that makes some entries, and ends cleanly. Gives the newest checkpoint. */
async function runOnce(
  t: TestContext,
  env: Environment,
  made: Made,
  names: readonly string[],
): Promise<string> {
  const running = await startProcess({ env });
  t.after(running.kill);
  for (const name of names) {
    const answer = await requestApi(running.url, made.managementKey, 'POST', '/workspaces', { name });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }
  const { body } = await requestApi(running.url, made.managementKey, 'GET', '/ledger/checkpoint', undefined);
  running.signal('SIGTERM');
  await within(20_000, 'the end of the process', running.ended);
  return textAt(body, 'checkpoint');
}

/** What a start says that must be refused. */
async function refusedStart(env: Environment): Promise<string> {
  const starting = runServer({ env });
  const { code } = await within(30_000, 'the end of the refused start', starting.ended).finally(
    starting.kill,
  );
  assert.equal(code, 1, starting.lines.join('\n'));
  return starting.lines.at(-1) ?? '';
}

async function claimRefusal(t: TestContext, store: Restorable): Promise<void> {
  const made = await initProcessStore(store.env);
  await runOnce(t, store.env, made, ['first']);
  await store.backUp();
  const newest = await runOnce(t, store.env, made, ['second', 'third']);
  await runOnce(t, store.env, made, []);
  await store.restore();
  const signed = readFileSync(store.checkpoints, 'utf8');
  const [origin = '', size = ''] = newest.split('\n');
  for (const attempt of ['first', 'second']) {
    const said = await refusedStart(store.env);
    assert.ok(
      said.includes(`\`${origin}\` has ${Number(size) - 2} entries in this store, but has signed ${size}`),
      said,
    );
    assert.match(
      said,
      /^countersign: .*restored from a backup, or entries were cut; put the newer data back/,
    );
    assert.equal(readFileSync(store.checkpoints, 'utf8'), signed, `nothing is signed by the ${attempt} try`);
  }
  const key = await runCli(['owner-key'], withoutUndefined(store.env));
  assert.equal(key.code, 1);
  assert.match(key.err, /but has signed/);
}

const withoutUndefined = (env: Environment): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

test('a restored embedded store is not served', { timeout: 120_000 }, (t) => claimRefusal(t, embedded(t)));

test('a restored PostgreSQL store is not served', { skip, timeout: 120_000 }, async (t) =>
  claimRefusal(t, await onPostgres(t)),
);

test('a checkpoint that somebody kept refuses a restored store, where the file of checkpoints was restored with it', {
  timeout: 120_000,
}, async (t) => {
  const store = embedded(t);
  const made = await initProcessStore(store.env);
  const older = await runOnce(t, store.env, made, ['first']);
  await store.backUp();
  const newest = await runOnce(t, store.env, made, ['second']);
  await store.restore();
  rmSync(store.checkpoints);
  const kept = join(folderOf(t), 'checkpoint.kept');
  const env = { ...store.env, COUNTERSIGN_HELD_CHECKPOINT: kept };
  writeFileSync(kept, newest);
  assert.match(await refusedStart(env), /but has signed .*checkpoint\.kept/);
  writeFileSync(kept, JSON.stringify({ checkpoint: newest, verifierKey: 'x' }));
  assert.match(await refusedStart(env), /but has signed/);
  for (const text of ['nothing', older.replace('org_', 'org_0')]) {
    writeFileSync(kept, text);
    assert.match(await refusedStart(env), /holds no checkpoint that a log of this store has signed/);
  }
  writeFileSync(kept, older);
  await runOnce(t, env, made, ['third']);
  writeFileSync(kept, newest);
  assert.match(
    await refusedStart(env),
    /has \d+ entries in this store, of which the first \d+ are not those/,
  );
});

test('an untouched store starts, whatever strangers write into the file of checkpoints', {
  timeout: 120_000,
}, async (t) => {
  const store = embedded(t);
  const made = await initProcessStore(store.env);
  const newest = await runOnce(t, store.env, made, ['first']);
  const forged = newest.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 100}\n`);
  assert.notEqual(forged, newest);
  const torn = newest.slice(0, -40);
  appendFileSync(store.checkpoints, `\u0000\u0001 garbage\n\n${forged}\nelsewhere.test/log\n9\n\n${torn}`);
  const again = await runOnce(t, store.env, made, ['second']);
  assert.ok(Number(again.split('\n')[1]) > Number(newest.split('\n')[1]));
  assert.ok(readFileSync(store.checkpoints, 'utf8').includes(`\n\n${again}`), 'it is appended after that');
});

test('PostgreSQL confirms nothing that its crash could take back, whatever its settings say', {
  skip,
}, async () => {
  assert.ok(cluster !== undefined);
  const url = new URL(await cluster.createDatabase());
  const { openDatabase } = await import('@countersign/server/platform/db/open');
  const { sql } = await import('kysely');
  for (const [configured, used] of [
    ['off', 'on'],
    ['remote_write', 'remote_write'],
  ] as const) {
    const client = new Client({ connectionString: url.href });
    await client.connect();
    await client.query(`alter database ${url.pathname.slice(1)} set synchronous_commit = ${configured}`);
    await client.end();
    const database = await openDatabase({ kind: 'postgres', url: url.href }, 'write');
    const { rows } = await sql`show synchronous_commit`.execute(database.db).finally(database.close);
    assert.equal(at(rows[0], 'synchronous_commit'), used);
  }
});
