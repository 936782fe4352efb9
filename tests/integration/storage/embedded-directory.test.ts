// Owns the claims about the embedded directory: one process, private files, clear refusals.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { openDatabase, type StorageConfig } from '@countersign/server/platform/db/open';
import { sql } from 'kysely';
import { type SuiteTables, sampleRow } from './fixture-schema.ts';
import { makeEmbedded, migrateFixture, openMigrated, temporaryDirectory } from './open-suite.ts';

const child = fileURLToPath(new URL('./commit-child.ts', import.meta.url));

function embedded(directory: string): StorageConfig {
  return { kind: 'sqlite', directory };
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

test('a second process on one directory is refused with a sentence that says what to do', async (context) => {
  const directory = join(temporaryDirectory(context), 'data');
  const config = embedded(directory);
  await migrateFixture(config);
  const database = await openDatabase<SuiteTables>(config, 'write');
  context.after(() => database.close());
  const expected = `another countersign process is using \`${directory}\`; stop it or set COUNTERSIGN_DATA_DIR to another directory`;
  const second = promisify(execFile)(process.execPath, [child, 'sqlite', directory]);
  await assert.rejects(
    second,
    (error) => error instanceof Error && 'stderr' in error && String(error.stderr).includes(expected),
  );
  await database.db.insertInto('samples').values(sampleRow('still works')).execute();
});

test('a second opening in the same process is refused as well, and closing makes room', async (context) => {
  const { config, database } = await openMigrated(context, makeEmbedded);
  await assert.rejects(openDatabase(config, 'write'), { name: 'AppError', code: 'storage_unavailable' });
  await assert.rejects(openDatabase(config, 'migrate'), { code: 'storage_unavailable' });
  await database.close();
  const again = await openDatabase(config, 'write');
  await again.close();
});

test('a refused second opening does not loosen the first one', async (context) => {
  const { config } = await openMigrated(context, makeEmbedded);
  const directory = config.kind === 'sqlite' ? config.directory : '';
  for (let round = 0; round < 3; round += 1) {
    await assert.rejects(openDatabase(config, 'write'), { code: 'storage_unavailable' });
    await assert.rejects(promisify(execFile)(process.execPath, [child, 'sqlite', directory]));
  }
});

test('the directory and its files are for their owner only', async (context) => {
  const directory = join(temporaryDirectory(context), 'deep', 'data');
  await migrateFixture(embedded(directory));
  const database = await openDatabase<SuiteTables>(embedded(directory), 'write');
  context.after(() => database.close());
  await database.db.insertInto('samples').values(sampleRow('a')).execute();
  assert.equal(modeOf(directory), 0o700);
  const files = readdirSync(directory).sort();
  assert.deepStrictEqual(files.slice(0, 3), ['countersign.db', 'countersign.db-shm', 'countersign.db-wal']);
  for (const file of files) assert.equal(modeOf(join(directory, file)), 0o600, file);
});

test('files that were left readable for others are closed again, a directory that we did not make is left alone', async (context) => {
  const directory = temporaryDirectory(context);
  await migrateFixture(embedded(directory));
  chmodSync(join(directory, 'countersign.db'), 0o644);
  chmodSync(directory, 0o755);
  const database = await openDatabase(embedded(directory), 'write');
  await database.close();
  assert.equal(modeOf(join(directory, 'countersign.db')), 0o600);
  assert.equal(modeOf(directory), 0o755);
});

test('a directory that cannot be made is refused by name', async (context) => {
  const file = join(temporaryDirectory(context), 'file');
  writeFileSync(file, '');
  await assert.rejects(openDatabase(embedded(join(file, 'data')), 'write'), {
    code: 'storage_unavailable',
    message: /cannot be written; set COUNTERSIGN_DATA_DIR/,
  });
});

test('reading before anything was written is refused, and a file that is no database too', async (context) => {
  const directory = temporaryDirectory(context);
  await assert.rejects(openDatabase(embedded(directory), 'read'), { code: 'storage_unavailable' });
  const other = join(directory, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'countersign.db'), 'x'.repeat(4096));
  await assert.rejects(openDatabase(embedded(other), 'write'), { code: 'storage_unavailable' });
});

test('commits are synchronous, foreign keys hold, and deleted content is overwritten', async (context) => {
  const { database } = await openMigrated(context, makeEmbedded);
  const pragma = async (name: string) => (await sql.raw(`pragma ${name}`).execute(database.db)).rows[0];
  assert.deepStrictEqual(await pragma('journal_mode'), { journal_mode: 'wal' });
  assert.deepStrictEqual(await pragma('synchronous'), { synchronous: 2 });
  assert.deepStrictEqual(await pragma('foreign_keys'), { foreign_keys: 1 });
  assert.deepStrictEqual(await pragma('secure_delete'), { secure_delete: 1 });
});

test('a query outside of the running transaction waits for its end instead of joining it', async (context) => {
  const { database } = await openMigrated(context, makeEmbedded);
  const order: string[] = [];
  const outside = { query: Promise.resolve() };
  await database.db.transaction().execute(async (tx) => {
    outside.query = database.db
      .selectFrom('samples')
      .select('id')
      .execute()
      .then((rows) => {
        order.push(`saw ${rows.length}`);
      });
    await tx.insertInto('samples').values(sampleRow('a')).execute();
    order.push('committing');
  });
  await outside.query;
  assert.deepStrictEqual(order, ['committing', 'saw 1']);
});

test('fault 5: a full disk undoes the transaction, lets no later statement slip through, and heals', async (context) => {
  const { database } = await openMigrated(context, makeEmbedded);
  const { db } = database;
  await db.insertInto('samples').values(sampleRow('kept')).execute();
  await sql`pragma max_page_count = 60`.execute(db);
  const large = sampleRow('large', { payload: new Uint8Array(4_000_000) });
  const failed = db.transaction().execute(async (tx) => {
    await tx.insertInto('samples').values(sampleRow('before')).execute();
    await assert.rejects(tx.insertInto('samples').values(large).execute(), { code: 'storage_unavailable' });
    await tx.insertInto('samples').values(sampleRow('after')).execute();
  });
  await assert.rejects(failed, { code: 'storage_unavailable' });
  assert.deepStrictEqual(await db.selectFrom('samples').select('id').execute(), [{ id: 'kept' }]);
  await sql`pragma max_page_count = 100000`.execute(db);
  await db.transaction().execute((tx) => tx.insertInto('samples').values(large).execute());
  assert.deepStrictEqual(await db.selectFrom('samples').select('id').execute(), [
    { id: 'kept' },
    { id: 'large' },
  ]);
});

test('a thread that is terminated in the middle of commits gives the directory free', async (context) => {
  const directory = temporaryDirectory(context);
  await migrateFixture(embedded(directory));
  for (let round = 0; round < 3; round += 1) {
    const worker = new Worker(child, {
      argv: ['sqlite', directory, String(round * 1_000_000)],
      stdout: true,
    });
    await Promise.race([sleep(400), once(worker, 'exit')]);
    await worker.terminate();
    const database = await openDatabase<SuiteTables>(embedded(directory), 'write');
    const { rows } = await sql`pragma integrity_check`.execute(database.db);
    assert.deepStrictEqual(rows, [{ integrity_check: 'ok' }]);
    await database.close();
  }
});

test('a row that a person was erased with is not in the files any more', async (context) => {
  const { config, database } = await openMigrated(context, makeEmbedded);
  const directory = config.kind === 'sqlite' ? config.directory : '';
  const secret = Buffer.from('subject-key-to-be-destroyed');
  await database.db
    .insertInto('samples')
    .values(sampleRow('a', { payload: new Uint8Array(secret) }))
    .execute();
  await database.db.deleteFrom('samples').where('id', '=', 'a').execute();
  await database.close();
  assert.equal(readFileSync(join(directory, 'countersign.db')).includes(secret), false);
});
