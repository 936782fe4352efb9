// Owns inserting many rows of one shape: the statement is built once, not once a row.

import type { CompiledQuery, InsertQueryBuilder, InsertResult } from 'kysely';
import type { Tables, Tx } from './schema.ts';

/** Rows a statement takes. A fixed number, so that the same few statements serve every batch. */
const rowsPerStatement = 32;

/**
 * Inserts rows that all have the same members in the same order. `build` makes the insert of some of them; the
 * rest reuse its text with their own values. Measured: building costs several times what running does.
 */
export async function insertRows<Table extends keyof Tables, Row extends object>(
  tx: Tx,
  rows: readonly Row[],
  build: (rows: readonly Row[]) => InsertQueryBuilder<Tables, Table, InsertResult>,
): Promise<void> {
  let many: CompiledQuery<InsertResult> | undefined;
  let one: CompiledQuery<InsertResult> | undefined;
  let at = 0;
  for (; at + rowsPerStatement <= rows.length; at += rowsPerStatement) {
    const part = rows.slice(at, at + rowsPerStatement);
    many ??= build(part).compile();
    await tx.executeQuery({ ...many, parameters: part.flatMap((row) => Object.values(row)) });
  }
  for (const row of rows.slice(at)) {
    one ??= build([row]).compile();
    await tx.executeQuery({ ...one, parameters: Object.values(row) });
  }
}
