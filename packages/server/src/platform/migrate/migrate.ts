// Owns bringing a database to the code's schema: forward only, one transaction a step, one starter at a time.

import { AppError } from '@countersign/core/errors';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { DialectName, OpenDatabase } from '../db/open.ts';
import { type Migration, migrationChecksum, migrationContext } from './migration.ts';

type MigrationRow = {
  readonly number: number;
  readonly name: string;
  readonly applied_at: number;
  readonly checksum: string;
  readonly works_with: number;
};

/** The one table that the runner itself reads; open the database with it: `openDatabase<MigrationTables>`. */
export type MigrationTables = { readonly schema_migrations: MigrationRow };

export type MigrationReport = {
  /** Numbers applied by this call, in order; empty when another starter or an earlier start applied them. */
  readonly applied: readonly number[];
  /** The newest step in the database, which may be newer than the code when all newer steps allow it. */
  readonly current: number;
};

/** "countersi" as a 64-bit key: any constant does, as long as every release uses the same one. */
const advisoryKey = 7_165_064_744_911_531_881n;

// INVARIANT: everything is read again under the lock, so that whoever waited sees what the other starter did.
async function lock(transaction: Transaction<MigrationTables>, dialect: DialectName): Promise<void> {
  if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${advisoryKey})`.execute(transaction);
  const { types, tableEnd } = migrationContext(dialect);
  await transaction.schema
    .createTable('schema_migrations')
    .ifNotExists()
    .addColumn('number', types.integer, (column) => column.primaryKey().notNull())
    .addColumn('name', types.text, (column) => column.notNull())
    .addColumn('applied_at', types.timestamp, (column) => column.notNull())
    .addColumn('checksum', types.text, (column) => column.notNull())
    .addColumn('works_with', types.integer, (column) => column.notNull())
    .modifyEnd(tableEnd)
    .execute();
}

async function appliedRows(db: Kysely<MigrationTables>): Promise<readonly MigrationRow[]> {
  return db
    .selectFrom('schema_migrations')
    .select(['number', 'name', 'applied_at', 'checksum', 'works_with'])
    .orderBy('number')
    .execute();
}

function checkSequence(migrations: readonly Migration[]): void {
  for (const [index, migration] of migrations.entries()) {
    if (migration.number !== index + 1) {
      throw new AppError('internal', `migration \`${migration.name}\` must have the number ${index + 1}`);
    }
  }
}

/** Refuses a database that this code cannot serve: newer beyond what its steps allow, or made by other steps. */
function checkApplied(
  rows: readonly MigrationRow[],
  migrations: readonly Migration[],
  checksums: readonly string[],
): void {
  for (const [index, row] of rows.entries()) {
    if (row.number > migrations.length) {
      if (row.works_with <= migrations.length) continue;
      throw new AppError(
        'storage_unavailable',
        `the database is at schema ${row.number}, newer than this version, which knows ${migrations.length}: start the newer version`,
      );
    }
    if (row.number !== index + 1 || row.checksum !== checksums[index]) {
      throw new AppError(
        'storage_unavailable',
        `migration ${row.number} \`${row.name}\` was applied with other statements than this version has: start the version that wrote this database, or restore a backup`,
      );
    }
  }
}

async function applyNext(
  db: Kysely<MigrationTables>,
  dialect: DialectName,
  migrations: readonly Migration[],
  checksums: readonly string[],
  now: () => number,
): Promise<{ readonly applied: number | undefined; readonly current: number }> {
  return db.transaction().execute(async (transaction) => {
    await lock(transaction, dialect);
    const rows = await appliedRows(transaction);
    checkApplied(rows, migrations, checksums);
    const next = migrations[rows.length];
    const checksum = checksums[rows.length];
    const current = rows.at(-1)?.number ?? 0;
    if (next === undefined || checksum === undefined) return { applied: undefined, current };
    await next.up(transaction.$pickTables<never>(), migrationContext(dialect));
    const { number, name } = next;
    const works_with = next.worksWith ?? number;
    await transaction
      .insertInto('schema_migrations')
      .values({ number, name, applied_at: now(), checksum, works_with })
      .execute();
    return { applied: number, current: number };
  });
}

/**
 * Applies the missing migrations, each in a transaction of its own together with its row in `schema_migrations`.
 * Safe when several replicas start at once. Open the database with mode `migrate`. `now` is in milliseconds.
 * Throws `storage_unavailable` when the database is newer than the code allows or a past migration has changed.
 */
export async function migrate(
  database: OpenDatabase<MigrationTables>,
  migrations: readonly Migration[],
  now: () => number = Date.now,
): Promise<MigrationReport> {
  checkSequence(migrations);
  const checksums: string[] = [];
  for (const migration of migrations) checksums.push(await migrationChecksum(migration, database.dialect));
  const applied: number[] = [];
  for (;;) {
    const step = await applyNext(database.db, database.dialect, migrations, checksums, now);
    if (step.applied === undefined) return { applied, current: step.current };
    applied.push(step.applied);
  }
}
