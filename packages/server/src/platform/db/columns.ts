// Owns the column types of migrations: one name for each kind of value, spelled as each database wants it.

import { type ColumnDataType, type RawBuilder, sql } from 'kysely';
import type { DialectName } from './open.ts';

/** What kysely's `addColumn` takes as a type. */
type DataType = ColumnDataType | RawBuilder<unknown>;

/** What a migration writes as the type of a column. Booleans are named `is_|has_|can_*`, bigints `*_nanos`. */
export type ColumnTypes = {
  readonly id: DataType;
  readonly text: DataType;
  /** JSON as its exact text: neither database may re-serialise what a hash covers. */
  readonly json: DataType;
  readonly blob: DataType;
  readonly boolean: DataType;
  /** A whole number up to 2^53-1. */
  readonly integer: DataType;
  /** 64 bits, read as bigint; only for columns named `*_nanos`. */
  readonly nanos: DataType;
  /** Milliseconds since the epoch, a whole number. */
  readonly timestamp: DataType;
  readonly real: DataType;
};

/** The column types of one dialect. Text is ordered by its UTF-8 bytes in both. */
export function columnTypes(dialect: DialectName): ColumnTypes {
  if (dialect === 'sqlite') {
    return {
      id: 'text',
      text: 'text',
      json: 'text',
      blob: 'blob',
      boolean: 'integer',
      integer: 'integer',
      nanos: 'integer',
      timestamp: 'integer',
      real: 'real',
    };
  }
  const text = sql`text collate "C"`;
  return {
    id: text,
    text,
    json: 'text',
    blob: 'bytea',
    boolean: 'boolean',
    integer: 'bigint',
    nanos: 'bigint',
    timestamp: 'bigint',
    real: 'double precision',
  };
}

/**
 * What ends a CREATE TABLE: SQLite's STRICT, so that it refuses text in an integer column as PostgreSQL does.
 * Use as `.modifyEnd(tableEnd(dialect))`.
 */
export function tableEnd(dialect: DialectName): RawBuilder<unknown> {
  return dialect === 'sqlite' ? sql`strict` : sql``;
}

/** The same for a table of small rows that lie in the order of its primary key: one tree in SQLite, where else are two. */
export function keyedTableEnd(dialect: DialectName): RawBuilder<unknown> {
  return dialect === 'sqlite' ? sql`strict, without rowid` : sql``;
}
