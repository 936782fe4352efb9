// Owns statements that are built once and run again and again with other values.

import { AppError } from '@countersign/core/errors';
import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import type { DirectRun } from '../platform/db/sqlite-driver.ts';
import type { Store } from './schema.ts';

/**
 * Statements that were built before, by name. Whoever runs some again and again keeps one of these, for one database.
 * Measured: building a query costs 50 µs, several times what running it does, and a commit of entries runs three.
 */
export type BuiltStatements = {
  readonly queries: Map<string, CompiledQuery>;
  /** The way past the builder's own layers, where there is one connection; absent on PostgreSQL. */
  readonly direct: DirectRun | undefined;
};

/** None yet. */
export function createBuilt(direct?: DirectRun): BuiltStatements {
  return { queries: new Map(), direct };
}

/**
 * Runs the statement of this name with these values. `build` makes it with the very same values, the first time; then
 * they are held to the places that the builder gave them, so that no later run can mix them up.
 */
export async function runBuilt<Row>(
  store: Store,
  built: BuiltStatements,
  name: string,
  values: readonly unknown[],
  build: () => Compilable<Row>,
): Promise<QueryResult<Row>> {
  const known = built.queries.get(name);
  if (known !== undefined) {
    const query = { query: known.query, queryId: known.queryId, sql: known.sql, parameters: values };
    return built.direct === undefined ? store.executeQuery<Row>(query) : built.direct<Row>(query);
  }
  const made = build().compile();
  if (made.parameters.length !== values.length || made.parameters.some((one, i) => one !== values[i]))
    throw new AppError('internal', `the values of \`${name}\` are in another order than its places`);
  built.queries.set(name, made);
  return store.executeQuery<Row>(made);
}
