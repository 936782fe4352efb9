// Owns the one rule by which column values look the same from both databases: a name decides the type.

import { AppError } from '@countersign/core/errors';

/** The only JavaScript values that cross into a database, in both dialects. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null;

/** What a column holds, read from its name: `*_nanos` is bigint, `is_|has_|can_*` is boolean, else as stored. */
export type ColumnKind = 'nanos' | 'boolean' | 'plain';

/**
 * The kind of a column or alias, from its name alone, so that it also holds for expressions, aggregates and
 * RETURNING lists, where neither database reports a declared type.
 */
export function columnKind(name: string): ColumnKind {
  if (name.endsWith('_nanos')) return 'nanos';
  if (/^(?:is|has|can)_/.test(name)) return 'boolean';
  return 'plain';
}

/**
 * Checks one query parameter. Refuses what the two databases would store differently: undefined, dates, objects,
 * unsafe integers, NUL characters and lone surrogates. Throws `internal` for a programmer's mistake and
 * `invalid_request` for text that a caller may have sent.
 */
export function checkParameter(value: unknown): SqlValue {
  switch (typeof value) {
    case 'string':
      if (value.includes('\u0000') || !value.isWellFormed()) {
        throw new AppError(
          'invalid_request',
          'text may not hold NUL characters or lone surrogates: remove them',
        );
      }
      return value;
    case 'number':
      if (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))) return value;
      throw new AppError('internal', 'a number parameter is not a safe integer or a finite fraction');
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return value;
      throw new AppError('internal', 'a bigint parameter does not fit 64 bits');
    case 'boolean':
      return value;
    default:
      if (value === null || value instanceof Uint8Array) return value;
      throw new AppError('internal', `a parameter of type ${typeof value} cannot be stored`);
  }
}

/** An integer column as a number; throws `internal` when it is beyond 2^53-1. */
export function safeNumber(value: bigint, column: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new AppError(
    'internal',
    `column ${column} is beyond the safe range: name it *_nanos to read a bigint`,
  );
}

/**
 * Rows that a driver hands to kysely, which derives their type from the table types and the query.
 * INVARIANT: what the drivers produce agrees with those types; the storage suite holds both dialects to it.
 */
export function areRows<Row>(rows: readonly unknown[]): rows is Row[] {
  return Array.isArray(rows);
}
