// Owns the claims about PostgreSQL that does not answer: every wait ends, and service returns by itself.

import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { type OpenDatabase, openDatabase } from '@countersign/server/platform/db/open';
import { isRetryable } from '@countersign/server/platform/db/storage-errors';
import { sql } from 'kysely';
import { startPostgres } from '../../support/postgres.ts';
import { type StallingProxy, startStallingProxy } from '../../support/stalling-proxy.ts';
import { type SuiteTables, sampleRow } from './fixture-schema.ts';
import { migrateFixture } from './open-suite.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

const unavailable = { name: 'AppError', code: 'storage_unavailable' } as const;

async function openThroughProxy(context: TestContext): Promise<{
  readonly proxy: StallingProxy;
  readonly database: OpenDatabase<SuiteTables>;
  readonly url: string;
}> {
  if (cluster === undefined) throw new Error('skipped tests make no database');
  const url = new URL(await cluster.createDatabase());
  await migrateFixture({ kind: 'postgres', url: url.href });
  const proxy = await startStallingProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  const database = await openDatabase<SuiteTables>(
    { kind: 'postgres', url: url.href, poolSize: 2, connectTimeoutMs: 600, statementTimeoutMs: 300 },
    'write',
  );
  context.after(async () => {
    proxy.close();
    await database.close();
  });
  return { proxy, database, url: url.href };
}

async function millisecondsOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

test('fault 9: a partition without a reset ends every wait, and its end restores service', {
  skip,
}, async (context) => {
  const { proxy, database } = await openThroughProxy(context);
  const count = () => database.db.selectFrom('samples').select('id').execute();
  await Promise.all([count(), count()]);
  proxy.stall();
  // Two hold the pool until their statements time out, the others wait for a connection.
  const spent = await millisecondsOf(() =>
    Promise.all(Array.from({ length: 6 }, () => assert.rejects(count(), unavailable))),
  );
  assert.ok(spent < 3000, `every query was refused within 3 s, took ${spent}`);
  proxy.resume();
  assert.deepStrictEqual(await count(), []);
});

test('fault 9: a transaction that hangs is given up once, not again for its rollback', {
  skip,
}, async (context) => {
  const { proxy, database } = await openThroughProxy(context);
  const { db } = database;
  const spent = await millisecondsOf(() =>
    assert.rejects(
      db.transaction().execute(async (tx) => {
        await tx.insertInto('samples').values(sampleRow('a')).execute();
        proxy.stall();
        await tx.insertInto('samples').values(sampleRow('b')).execute();
      }),
      unavailable,
    ),
  );
  // One wait is 550 ms here, the margin of the client included.
  assert.ok(spent < 900, `the transaction was given up after ${spent} ms`);
  proxy.resume();
  assert.deepStrictEqual(await db.selectFrom('samples').select('id').execute(), []);
});

test('fault 7: cut connections are replaced, and a transaction that was cut leaves nothing', {
  skip,
}, async (context) => {
  const { proxy, database } = await openThroughProxy(context);
  const { db } = database;
  const failed = db.transaction().execute(async (tx) => {
    await tx.insertInto('samples').values(sampleRow('a')).execute();
    proxy.cut();
    await tx.insertInto('samples').values(sampleRow('b')).execute();
  });
  await assert.rejects(failed, unavailable);
  assert.deepStrictEqual(await db.selectFrom('samples').select('id').execute(), []);
});

test('a statement that runs too long is refused and its connection stays usable', {
  skip,
}, async (context) => {
  const { database } = await openThroughProxy(context);
  await assert.rejects(sql`select pg_sleep(5)`.execute(database.db), unavailable);
  assert.deepStrictEqual(await database.db.selectFrom('samples').select('id').execute(), []);
});

test('a deadlock ends for one side, which may retry', { skip }, async (context) => {
  if (cluster === undefined) return;
  const url = await cluster.createDatabase();
  await migrateFixture({ kind: 'postgres', url });
  // PostgreSQL looks for a deadlock after a second.
  const { db, close } = await openDatabase<SuiteTables>(
    { kind: 'postgres', url, statementTimeoutMs: 5_000 },
    'write',
  );
  context.after(close);
  await db
    .insertInto('samples')
    .values([sampleRow('a'), sampleRow('b')])
    .execute();
  const bothHold = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const swap = (first: string, second: string, mine: 0 | 1, other: 0 | 1) =>
    db.transaction().execute(async (tx) => {
      await tx.updateTable('samples').set({ count: 1 }).where('id', '=', first).execute();
      bothHold[mine].resolve();
      await bothHold[other].promise;
      await tx.updateTable('samples').set({ count: 2 }).where('id', '=', second).execute();
    });
  const results = await Promise.allSettled([swap('a', 'b', 0, 1), swap('b', 'a', 1, 0)]);
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  assert.equal(errors.length, 1);
  assert.ok(errors.every(isRetryable));
});

test('a server that is not there is refused, and the password is not in the message', {
  skip,
}, async (context) => {
  const { proxy, url } = await openThroughProxy(context);
  proxy.close();
  const opening = openDatabase({ kind: 'postgres', url }, 'write');
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'AppError');
    assert.ok(!error.message.includes(new URL(url).password));
    return true;
  });
});
