// Owns what a migration is, and the fingerprint by which a changed one is recognised.

import { createHash } from 'node:crypto';
import {
  type CompiledQuery,
  type Dialect,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type ColumnTypes, columnTypes, keyedTableEnd, tableEnd } from '../db/columns.ts';
import type { DialectName } from '../db/open.ts';

/** What a migration needs to know of the database that it runs on. */
export type MigrationContext = {
  readonly dialect: DialectName;
  readonly types: ColumnTypes;
  /** Ends every CREATE TABLE: `.modifyEnd(context.tableEnd)`. */
  readonly tableEnd: RawBuilder<unknown>;
  /** The same for small rows that are looked up by their primary key alone. */
  readonly keyedTableEnd: RawBuilder<unknown>;
};

type NoTables = Record<never, never>;

/** A migration names its tables in text: the code's table types describe the newest schema, not this one. */
export type MigrationDb = Kysely<NoTables>;

/**
 * One forward step of the schema. It consists of statements that do not depend on what they read, because its
 * fingerprint is taken from a dry run: move data with INSERT … SELECT and UPDATE, not with rows in JavaScript.
 */
export type Migration = {
  /** 1, 2, 3 … without gaps. */
  readonly number: number;
  /** Lower case words with hyphens. */
  readonly name: string;
  /**
   * The oldest code, as the number of its newest migration, that still works after this step. Absent: none but
   * the code that has this step. An expanding step (a new table, a nullable column) names its predecessor, so that
   * an upgrade can roll back.
   */
  readonly worksWith?: number;
  readonly up: (db: MigrationDb, context: MigrationContext) => Promise<void>;
};

export function migrationContext(dialect: DialectName): MigrationContext {
  return {
    dialect,
    types: columnTypes(dialect),
    tableEnd: tableEnd(dialect),
    keyedTableEnd: keyedTableEnd(dialect),
  };
}

function dryDialect(dialect: DialectName): Dialect {
  const createDriver = () => new DummyDriver();
  if (dialect === 'sqlite') {
    return {
      createDriver,
      createAdapter: () => new SqliteAdapter(),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createIntrospector: (db) => new SqliteIntrospector(db),
    };
  }
  return {
    createDriver,
    createAdapter: () => new PostgresAdapter(),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}

function printable(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

function line(query: CompiledQuery): string {
  return JSON.stringify([query.sql, query.parameters.map(printable)]);
}

/** SHA-256, in hex, over the statements that a migration runs on a dialect; white space in its source is free. */
export async function migrationChecksum(migration: Migration, dialect: DialectName): Promise<string> {
  const hash = createHash('sha256');
  const db = new Kysely<NoTables>({
    dialect: dryDialect(dialect),
    log: (event) => {
      hash.update(`${line(event.query)}\n`);
    },
  });
  await migration.up(db, migrationContext(dialect));
  await db.destroy();
  return hash.digest('hex');
}
