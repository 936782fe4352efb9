// Owns how PostgreSQL's text becomes the JavaScript values that SQLite also gives.

import { AppError } from '@countersign/core/errors';
import type { CustomTypesConfig, FieldDef } from 'pg';
import { columnKind, safeNumber } from './values.ts';

/** Object ids of built-in types: src/include/catalog/pg_type.dat. */
const oid = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  float4: 700,
  float8: 701,
  numeric: 1700,
} as const;

/** Leaves every value as PostgreSQL wrote it: a parser that knows only the type cannot know the column. */
export const rawTypes: CustomTypesConfig = { getTypeParser: () => (value: unknown) => value };

function integer(text: string, column: string): number | bigint {
  return columnKind(column) === 'nanos' ? BigInt(text) : safeNumber(BigInt(text), column);
}

function decimal(text: string, column: string): number | bigint {
  return /^-?\d+$/.test(text) ? integer(text, column) : fraction(text, column);
}

function fraction(text: string, column: string): number {
  if (columnKind(column) === 'nanos')
    throw new AppError('internal', `column ${column} does not hold an integer`);
  return Number(text);
}

function bytes(text: string): Uint8Array {
  // A copy that owns its memory, so that it can be moved to another thread.
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

function readerOf(field: FieldDef): ((text: string) => unknown) | undefined {
  const { name, dataTypeID } = field;
  const isBoolean = dataTypeID === oid.bool;
  if (isBoolean !== (columnKind(name) === 'boolean')) {
    throw new AppError(
      'internal',
      `column ${name}: boolean columns, and only those, are named is_, has_ or can_`,
    );
  }
  switch (dataTypeID) {
    case oid.bool:
      return (text) => text === 't';
    case oid.bytea:
      return bytes;
    case oid.int8:
    case oid.int4:
    case oid.int2:
      return (text) => integer(text, name);
    case oid.numeric:
      return (text) => decimal(text, name);
    case oid.float4:
    case oid.float8:
      return (text) => fraction(text, name);
    default:
      return undefined;
  }
}

/** Converts the rows of one result in place; where names repeat, the last column wins, as in node:sqlite. */
export function convertRows(fields: readonly FieldDef[], rows: readonly Record<string, unknown>[]): void {
  if (rows.length === 0) return;
  for (const [name, field] of new Map(fields.map((field) => [field.name, field]))) {
    const read = readerOf(field);
    if (read === undefined) continue;
    for (const row of rows) {
      const value = row[name];
      if (typeof value === 'string') row[name] = read(value);
    }
  }
}
