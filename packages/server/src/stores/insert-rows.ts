// Owns inserting many rows of one shape: the statement is built once, not once a row.

import type { CompiledQuery, InsertQueryBuilder, InsertResult } from 'kysely';
import type { Tables, Tx } from './schema.ts';

/** Rows a statement takes. A fixed number, so that the same few statements serve every batch. */
const rowsPerStatement = 16;

/**
 * Statements that were built before, by name. Whoever inserts again and again keeps one, for one database: building
 * an insert of many rows costs more than running it.
 */
export type BuiltStatements = Map<string, CompiledQuery<InsertResult>>;

/**
 * Inserts rows that all have the same members in the same order. `build` makes the insert of some of them; the
 * rest reuse its text with their own values. `built` keeps that text under `name` for the next time.
 */
export async function insertRows<Table extends keyof Tables, Row extends object>(
  tx: Tx,
  rows: readonly Row[],
  build: (rows: readonly Row[]) => InsertQueryBuilder<Tables, Table, InsertResult>,
  name: string,
  built: BuiltStatements = new Map(),
): Promise<void> {
  async function insert(part: readonly Row[]): Promise<void> {
    const key = `${name} ${part.length}`;
    const known = built.get(key) ?? build(part).compile();
    built.set(key, known);
    await tx.executeQuery({ ...known, parameters: part.flatMap((row) => Object.values(row)) });
  }
  let at = 0;
  for (; at + rowsPerStatement <= rows.length; at += rowsPerStatement)
    await insert(rows.slice(at, at + rowsPerStatement));
  for (const row of rows.slice(at)) await insert([row]);
}
