// Owns the figures of the storage: durable commits, their latency, what kysely adds, and what the thread port costs.
// Run: node tests/integration/storage/storage.bench.ts (about 20 s)

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { type OpenDatabase, openDatabase, type StorageConfig } from '@countersign/server/platform/db/open';
import { connectThread } from '@countersign/server/platform/db/thread-client';
import { startPostgres } from '../../support/postgres.ts';
import type { SuiteTables } from './fixture-schema.ts';
import { migrateFixture } from './open-suite.ts';
import type { TestCalls, TestHeard, TestSaid } from './port-protocol.ts';

type Database = OpenDatabase<SuiteTables>;

const rows = 128;
const kibibyte = new Uint8Array(1024).fill(7);
const bundle = new Uint8Array(rows * 1024).fill(7);

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Runs `work` `times` times and prints median, 99th percentile and rate. */
async function measure(
  name: string,
  times: number,
  work: (round: number) => Promise<unknown>,
): Promise<void> {
  const spent: number[] = [];
  const start = performance.now();
  for (let round = 0; round < times; round += 1) {
    const before = performance.now();
    await work(round);
    spent.push(performance.now() - before);
  }
  const rate = (times / (performance.now() - start)) * 1000;
  spent.sort((a, b) => a - b);
  const [p50, p99] = [quantile(spent, 0.5).toFixed(3), quantile(spent, 0.99).toFixed(2)];
  console.log(`${name.padEnd(58)} p50 ${p50} ms  p99 ${p99} ms  ${rate.toFixed(0)}/s`);
}

async function measureCommits(name: string, { db }: Database, times: number): Promise<void> {
  const insert = (batch: number, position: number, payload: Uint8Array) => ({ batch, position, payload });
  await measure(`${name}: commit of one 1 KiB blob`, times, (round) =>
    db
      .insertInto('commits')
      .values(insert(round, -1, kibibyte))
      .execute(),
  );
  await measure(`${name}: transaction of one 1 KiB blob`, times, (round) =>
    db.transaction().execute((tx) =>
      tx
        .insertInto('commits')
        .values(insert(round, -2, kibibyte))
        .execute(),
    ),
  );
  await measure(`${name}: transaction of one 128 KiB blob`, times, (round) =>
    db.transaction().execute((tx) =>
      tx
        .insertInto('commits')
        .values(insert(round, -3, bundle))
        .execute(),
    ),
  );
  await measure(`${name}: transaction of 128 rows of 1 KiB, one statement`, times, (round) => {
    const values = Array.from({ length: rows }, (_, position) => insert(round, position, kibibyte));
    return db.transaction().execute((tx) => tx.insertInto('commits').values(values).execute());
  });
  await measure(`${name}: transaction of 128 rows of 1 KiB, 128 statements`, times / 2, (round) =>
    db.transaction().execute(async (tx) => {
      for (let position = 0; position < rows; position += 1) {
        await tx
          .insertInto('commits')
          .values(insert(round + times, position, kibibyte))
          .execute();
      }
    }),
  );
}

/** One insert inside an open transaction, without the commit: through kysely and by hand. */
async function measureOverhead({ db }: Database, directory: string): Promise<void> {
  const each = 20_000;
  await db.transaction().execute(async (tx) => {
    const start = performance.now();
    for (let position = 0; position < each; position += 1) {
      await tx.insertInto('commits').values({ batch: -1, position, payload: kibibyte }).execute();
    }
    console.log(
      `kysely insert of 1 KiB, no commit: ${(((performance.now() - start) / each) * 1000).toFixed(1)} µs`,
    );
    const reading = performance.now();
    for (let position = 0; position < each; position += 1) {
      await tx
        .selectFrom('commits')
        .selectAll()
        .where('batch', '=', -1)
        .where('position', '=', position)
        .execute();
    }
    console.log(
      `kysely select of one row by key: ${(((performance.now() - reading) / each) * 1000).toFixed(1)} µs`,
    );
  });
  const plain = new DatabaseSync(join(directory, 'plain.db'));
  plain.exec(
    'pragma journal_mode = wal; create table commits (batch integer, position integer, payload blob, primary key (batch, position)) strict; begin',
  );
  const statement = plain.prepare('insert into commits values (?, ?, ?)');
  const start = performance.now();
  for (let position = 0; position < each; position += 1) statement.run(-1, position, kibibyte);
  console.log(
    `node:sqlite insert of 1 KiB, no commit: ${(((performance.now() - start) / each) * 1000).toFixed(1)} µs`,
  );
  plain.close();
}

async function measurePort(): Promise<void> {
  const worker = new Worker(new URL('./port-worker.ts', import.meta.url));
  const client = connectThread<TestCalls, TestSaid, TestHeard>(worker, {
    name: 'bench',
    maxOutstanding: 10_000,
    timeoutMs: 5000,
    onNotice: { event() {} },
    onError: console.error,
    onDeath: console.error,
  });
  await measure('thread port: one call at a time', 5000, (round) => client.call('echo', round));
  const before = process.cpuUsage();
  await measure('thread port: 100 calls at a time (a round)', 500, () =>
    Promise.all(Array.from({ length: 100 }, (_, index) => client.call('echo', index))),
  );
  const { user, system } = process.cpuUsage(before);
  console.log(
    `thread port: both threads together ${((user + system) / 50_000).toFixed(1)} µs of processor a call, 100 at a time`,
  );
  await client.close(1000);
}

async function measureStorage(name: string, config: StorageConfig, times: number): Promise<Database> {
  await migrateFixture(config);
  const database = await openDatabase<SuiteTables>(config, 'write');
  await measureCommits(name, database, times);
  return database;
}

const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
const embedded = await measureStorage('SQLite', { kind: 'sqlite', directory }, 400);
await measureOverhead(embedded, directory);
await embedded.close();
rmSync(directory, { recursive: true });
await measurePort();
const { cluster } = await startPostgres();
if (cluster !== undefined) {
  const url = await cluster.createDatabase();
  const database = await measureStorage('PostgreSQL (fsync off)', { kind: 'postgres', url }, 200);
  await database.close();
  await cluster.stop();
}
