// Claims about the hold of a PostgreSQL store: one process at a time, and none goes on that may have lost it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { migrateStore } from '@countersign/server/compose/migrate-store';
import { holdPostgres } from '@countersign/server/platform/db/postgres-hold';
import { Client } from 'pg';
import { startOutageProxy } from '../../fault/outage-proxy.ts';
import { until } from '../../support/gateway.ts';
import { startPostgres } from '../../support/postgres.ts';
import {
  type Environment,
  initProcessStore,
  processEnv,
  runServer,
  type ServerProcess,
  startProcess,
  within,
} from '../../support/server-process.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());
const elsewhere =
  /another countersign process is using this PostgreSQL database; stop it or set DATABASE_URL/;

function environment(t: TestContext, url: string): Environment {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-hold-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return processEnv(directory, {
    DATABASE_URL: url,
    COUNTERSIGN_MASTER_KEY: randomBytes(32).toString('hex'),
  });
}

async function makeStore(t: TestContext) {
  assert.ok(cluster !== undefined);
  const url = await cluster.createDatabase();
  const env = environment(t, url);
  const { modelsKey } = await initProcessStore(env);
  const start = async (more: Environment = {}): Promise<ServerProcess> => {
    const server = await startProcess({ env: { ...env, ...more } });
    t.after(server.kill);
    return server;
  };
  const call = async (server: ServerProcess): Promise<number> => {
    const response = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${modelsKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
    });
    await response.text();
    return response.status;
  };
  return { url, env, start, call };
}

/** A server that reaches its database through a line that can be cut. */
async function startBehindProxy(t: TestContext) {
  const store = await makeStore(t);
  const url = new URL(store.url);
  const proxy = await startOutageProxy({ host: url.hostname, port: Number(url.port) });
  t.after(() => proxy.close());
  url.port = String(proxy.port);
  const first = await store.start({ DATABASE_URL: url.href });
  assert.equal(await store.call(first), 200);
  return { store, proxy, first };
}

test('a second server on one PostgreSQL is refused, and so are init and migrate; the first goes on', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const { env, start, call } = await makeStore(t);
  const first = await start();
  const { lines, ended, kill } = runServer({ env });
  t.after(kill);
  assert.equal((await within(20_000, 'the end of the second', ended)).code, 1);
  assert.match(lines.join('\n'), elsewhere);
  await assert.rejects(migrateStore(env), elsewhere);
  await assert.rejects(initProcessStore(env), elsewhere);
  assert.equal(await call(first), 200);
  first.signal('SIGTERM');
  assert.equal((await within(20_000, 'the end of the first', first.ended)).code, 0);
  assert.equal(await call(await start()), 200);
});

test('a hold whose connection is ended comes back by itself, and the log says so', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const { url, start, call } = await makeStore(t);
  const server = await start();
  const client = new Client({ connectionString: url });
  await client.connect();
  t.after(() => client.end());
  await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'countersign hold %'",
  );
  await until(() => server.lines.some((line) => line.includes('holds the PostgreSQL database again')));
  assert.ok(server.lines.some((line) => line.includes('nothing is recorded, and calls are refused')));
  assert.equal(await call(server), 200);
});

test('a process that lost its hold to another ends', { skip, timeout: 60_000 }, async (t) => {
  const { store, proxy, first } = await startBehindProxy(t);
  await proxy.down();
  const second = await store.start();
  assert.equal(await store.call(first), 503, 'nothing passes by way of a server without its hold');
  await proxy.up();
  assert.equal((await within(20_000, 'the end of the first', first.ended)).code, 1);
  assert.match(first.lines.join('\n'), /has taken this PostgreSQL database/);
  assert.equal(await store.call(second), 200);
});

test('a process whose store another one had meanwhile ends, though that one has gone', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const { store, proxy, first } = await startBehindProxy(t);
  await proxy.down();
  const second = await store.start();
  second.signal('SIGTERM');
  await second.ended;
  await proxy.up();
  assert.equal((await within(20_000, 'the end of the first', first.ended)).code, 1);
  assert.match(first.lines.join('\n'), /has taken this PostgreSQL database/);
});

test('a hold is of one schema: another in the same database is free', { skip }, async () => {
  assert.ok(cluster !== undefined);
  const url = await cluster.createDatabase();
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('create schema other');
  await client.end();
  const hear = { isUntouched: async () => true, onLost() {}, onBack() {}, onTaken() {} };
  const hold = (of: string, name: string) => holdPostgres({ url: of, name, waitMs: 0 }, hear);
  const first = await hold(url, 'first');
  await assert.rejects(hold(url, 'second'), elsewhere);
  const beside = await hold(`${url}?options=-c%20search_path%3Dother`, 'third');
  await Promise.all([first.release(), beside.release()]);
  assert.equal(first.isHeld(), false);
});
