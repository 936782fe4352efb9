// Owns inserting many rows of one shape: the statement is built once, not once a row.

import type { OrgId } from '@countersign/core/ids';
import type { InsertQueryBuilder, InsertResult } from 'kysely';
import { type BuiltStatements, createBuilt, runBuilt } from './built-statements.ts';
import type { Tables, Tx } from './schema.ts';

/** Rows a statement takes. A fixed number, so that the same few statements serve every batch. */
const rowsPerStatement = 16;

/**
 * Inserts rows of one organization that all have the same members in the same order. `build` makes the insert of some
 * of them, `org_id` first; the rest reuse its text with their own values. `built` keeps that text under `name` for the
 * next time.
 */
export async function insertRows<Table extends keyof Tables, Row extends object>(
  tx: Tx,
  orgId: OrgId,
  rows: readonly Row[],
  build: (rows: readonly Row[]) => InsertQueryBuilder<Tables, Table, InsertResult>,
  name: string,
  built: BuiltStatements = createBuilt(),
): Promise<void> {
  async function insert(part: readonly Row[]): Promise<void> {
    const values: unknown[] = [];
    for (const row of part) values.push(orgId, ...Object.values(row));
    await runBuilt(tx, built, `${name} ${part.length}`, values, () => build(part));
  }
  let at = 0;
  for (; at + rowsPerStatement <= rows.length; at += rowsPerStatement)
    await insert(rows.slice(at, at + rowsPerStatement));
  for (const row of rows.slice(at)) await insert([row]);
}
