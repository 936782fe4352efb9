// Owns running one SQL text on node:sqlite: the bounded cache of prepared statements and the mapping of values.

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { AppError } from '@countersign/core/errors';
import { checkParameter, columnKind, safeNumber } from './values.ts';

type Cell = string | number | bigint | Uint8Array | null;
type Bound = string | number | bigint | Uint8Array | null;
type Row = Record<string, unknown>;

type Prepared = {
  readonly statement: StatementSync;
  readonly hasRows: boolean;
  /** Column names that need a second look; empty for most statements. */
  readonly booleans: readonly string[];
  /** Set when one column is a bigint: then every integer arrives as one, and the others are narrowed. */
  readonly hasNanos: boolean;
};

export type SqliteResult = { readonly rows: Row[]; readonly changes: bigint | undefined };

export type SqliteStatements = {
  readonly run: (sql: string, parameters: readonly unknown[]) => SqliteResult;
};

/** A change of the schema may change the columns of a cached `select *`. */
const changesSchema = /^\s*(?:create|alter|drop|attach|detach|vacuum|pragma)\b/i;

// INVARIANT: whole numbers are bound as 64-bit integers. node:sqlite binds a JavaScript number as a double, which
// would make `x / ?` a fraction here and a whole number on PostgreSQL.
function bind(value: unknown): Bound {
  const checked = checkParameter(value);
  if (typeof checked === 'boolean') return checked ? 1n : 0n;
  return typeof checked === 'number' && Number.isInteger(checked) ? BigInt(checked) : checked;
}

function prepare(database: DatabaseSync, sql: string): Prepared {
  const statement = database.prepare(sql);
  const names = statement.columns().map((column) => column.name);
  const hasNanos = names.some((name) => columnKind(name) === 'nanos');
  statement.setReadBigInts(hasNanos);
  return {
    statement,
    hasRows: names.length > 0,
    booleans: names.filter((name) => columnKind(name) === 'boolean'),
    hasNanos,
  };
}

function toBoolean(value: unknown, column: string): boolean | null {
  if (value === 1 || value === 1n) return true;
  if (value === 0 || value === 0n) return false;
  if (value === null) return null;
  throw new AppError('internal', `column ${column} is named like a boolean but holds another value`);
}

function narrow(column: string, value: unknown): unknown {
  const isNanos = columnKind(column) === 'nanos';
  if (typeof value === 'bigint') return isNanos ? value : safeNumber(value, column);
  if (isNanos && value !== null) throw new AppError('internal', `column ${column} does not hold an integer`);
  return value;
}

// Rows of node:sqlite have no prototype, those of pg do: the spread makes them alike.
function toRow(prepared: Prepared, cells: { readonly [column: string]: Cell }): Row {
  const row: Row = { ...cells };
  if (prepared.hasNanos) {
    for (const column of Object.keys(row)) row[column] = narrow(column, row[column]);
  }
  for (const column of prepared.booleans) row[column] = toBoolean(row[column], column);
  return row;
}

/** Prepared statements of one connection, the `limit` most recently used ones. */
export function sqliteStatements(database: DatabaseSync, limit: number): SqliteStatements {
  const cache = new Map<string, Prepared>();

  function lookUp(sql: string): Prepared {
    const known = cache.get(sql);
    // Only a full cache needs an order, and each move in it leaves garbage that lives long.
    if (known !== undefined && cache.size >= limit) {
      cache.delete(sql);
      cache.set(sql, known);
    }
    if (known !== undefined) return known;
    const fresh = prepare(database, sql);
    cache.set(sql, fresh);
    if (cache.size > limit) {
      const [oldest] = cache.keys();
      if (oldest !== undefined) cache.delete(oldest);
    }
    return fresh;
  }

  function run(sql: string, parameters: readonly unknown[]): SqliteResult {
    if (changesSchema.test(sql)) cache.clear();
    const prepared = lookUp(sql);
    const bound = parameters.map(bind);
    if (!prepared.hasRows) {
      const { changes } = prepared.statement.run(...bound);
      return { rows: [], changes: BigInt(changes) };
    }
    const rows: Row[] = [];
    for (const cells of prepared.statement.all(...bound)) rows.push(toRow(prepared, cells));
    return { rows, changes: undefined };
  }

  return { run };
}
