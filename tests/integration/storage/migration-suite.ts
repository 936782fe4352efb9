// Owns the contract of migrations on both databases.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type OpenDatabase, openDatabase, type StorageConfig } from '@countersign/server/platform/db/open';
import { type MigrationTables, migrate } from '@countersign/server/platform/migrate/migrate';
import { type Migration, migrationChecksum } from '@countersign/server/platform/migrate/migration';
import { sql } from 'kysely';
import { suiteMigrations } from './fixture-schema.ts';
import type { MakeDatabase } from './open-suite.ts';

type Database = OpenDatabase<MigrationTables>;

async function open(context: TestContext, config: StorageConfig): Promise<Database> {
  const database = await openDatabase<MigrationTables>(config, 'migrate');
  context.after(() => database.close());
  return database;
}

function step(number: number, statement: string, worksWith?: number): Migration {
  const up: Migration['up'] = async (db) => {
    await sql.raw(statement).execute(db);
  };
  const name = `step-${number}`;
  return worksWith === undefined ? { number, name, up } : { number, name, up, worksWith };
}

const first = step(1, 'create table one (id text primary key)');
const second = step(2, 'create table two (id text primary key)');

function applyingClaims(make: MakeDatabase): void {
  test('an empty database gets every migration, once', async (context) => {
    const database = await open(context, await make(context));
    const now = () => 1_795_000_000_123;
    assert.deepStrictEqual(await migrate(database, suiteMigrations, now), { applied: [1, 2], current: 2 });
    assert.deepStrictEqual(await migrate(database, suiteMigrations, now), { applied: [], current: 2 });
    const rows = await database.db.selectFrom('schema_migrations').selectAll().orderBy('number').execute();
    assert.deepStrictEqual(
      rows.map((row) => [row.number, row.name, row.applied_at, row.works_with]),
      [
        [1, 'samples', 1_795_000_000_123, 1],
        [2, 'commits', 1_795_000_000_123, 1],
      ],
    );
  });

  test('a migration that fails leaves neither its changes nor its row, and the ones before it stay', async (context) => {
    const database = await open(context, await make(context));
    const broken: Migration = {
      number: 2,
      name: 'broken',
      async up(db) {
        await sql`create table half (id text primary key)`.execute(db);
        await sql`create table one (id text primary key)`.execute(db);
      },
    };
    await assert.rejects(migrate(database, [first, broken]));
    await assert.rejects(sql`select id from half`.execute(database.db));
    const repaired = step(2, 'create table half (id text primary key)');
    assert.deepStrictEqual(await migrate(database, [first, repaired]), { applied: [2], current: 2 });
  });

  test('starters that race apply each migration once between them', async (context) => {
    const config = await make(context);
    const shared = await open(context, config);
    const isShared = config.kind === 'sqlite';
    const starters = await Promise.all(
      Array.from({ length: 4 }, async () =>
        migrate(isShared ? shared : await open(context, config), suiteMigrations),
      ),
    );
    const applied = starters.flatMap((report) => report.applied).sort();
    assert.deepStrictEqual(applied, [1, 2]);
  });

  test('numbers with a gap are refused', async (context) => {
    const database = await open(context, await make(context));
    await assert.rejects(migrate(database, [first, step(3, 'select 1')]), { code: 'internal' });
  });
}

function refusingClaims(make: MakeDatabase): void {
  test('a database newer than the code is refused', async (context) => {
    const database = await open(context, await make(context));
    await migrate(database, [first, second]);
    await assert.rejects(migrate(database, [first]), {
      code: 'storage_unavailable',
      message: /database is at schema 2, newer than this version, which knows 1/,
    });
  });

  test('a newer database is served when its newer steps name this code as working', async (context) => {
    const database = await open(context, await make(context));
    const expanding = step(2, 'create table two (id text primary key)', 1);
    await migrate(database, [first, expanding]);
    assert.deepStrictEqual(await migrate(database, [first]), { applied: [], current: 2 });
    await migrate(database, [first, expanding, step(3, 'drop table two', 2)]);
    await assert.rejects(migrate(database, [first]), { code: 'storage_unavailable' });
  });

  test('a migration that changed after it was applied is refused', async (context) => {
    const database = await open(context, await make(context));
    await migrate(database, [first]);
    const changed = step(1, 'create table one (id text primary key, extra text)');
    await assert.rejects(migrate(database, [changed, second]), {
      code: 'storage_unavailable',
      message: /migration 1 `step-1` was applied with other statements/,
    });
    await assert.rejects(sql`select id from two`.execute(database.db));
  });

  test('a fingerprint covers statements and values, and not the layout of the source', async () => {
    const spread: Migration = {
      number: 1,
      name: 'step-1',
      up: async (db) => void (await sql.raw('create table one (id text primary key)').execute(db)),
    };
    const valued = (value: unknown): Migration => ({
      ...first,
      up: async (db) => void (await sql`select ${value}`.execute(db)),
    });
    assert.equal(await migrationChecksum(spread, 'sqlite'), await migrationChecksum(first, 'sqlite'));
    assert.notEqual(await migrationChecksum(second, 'sqlite'), await migrationChecksum(first, 'sqlite'));
    assert.notEqual(
      await migrationChecksum(valued(1), 'sqlite'),
      await migrationChecksum(valued(2), 'sqlite'),
    );
  });
}

/** What holds for migrations on every database; `make` gives an empty one for each test. */
export function migrationSuite(name: string, make: MakeDatabase, skip: string | false = false): void {
  describe(`migrations on ${name}`, { skip }, () => {
    applyingClaims(make);
    refusingClaims(make);
  });
}
