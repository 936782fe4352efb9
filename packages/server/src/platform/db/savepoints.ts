// Owns savepoints: how the drivers issue them, and running a part of a transaction that may fail alone.

import { AppError } from '@countersign/core/errors';
import { CompiledQuery, type DatabaseConnection, type Driver, sql, type Transaction } from 'kysely';

async function issue(connection: DatabaseConnection, verb: string, name: string): Promise<void> {
  if (!/^[a-z][a-z0-9_]{0,59}$/.test(name)) {
    throw new AppError('internal', `savepoint \`${name}\` may hold lower case letters, digits and _ only`);
  }
  await connection.executeQuery(CompiledQuery.raw(`${verb} ${name}`));
}

/** The three optional methods of a kysely driver, the same SQL for both databases. */
export const savepointMethods = {
  savepoint: (connection, name) => issue(connection, 'savepoint', name),
  rollbackToSavepoint: (connection, name) => issue(connection, 'rollback to savepoint', name),
  releaseSavepoint: (connection, name) => issue(connection, 'release savepoint', name),
} satisfies Partial<Driver>;

/** A lost connection or a full disk has undone everything already; then the first error is the one to report. */
async function undo<DB>(transaction: Transaction<DB>): Promise<void> {
  try {
    await sql`rollback to savepoint attempt`.execute(transaction);
    await sql`release savepoint attempt`.execute(transaction);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}

/**
 * Runs a part of a transaction that may fail without losing the rest: when `part` throws, only its own changes are
 * undone and the error is rethrown. On PostgreSQL a failed statement otherwise spoils the whole transaction, so
 * a unique violation that the caller means to handle must happen in here.
 */
export async function attempt<DB, Result>(
  transaction: Transaction<DB>,
  part: () => Promise<Result>,
): Promise<Result> {
  await sql`savepoint attempt`.execute(transaction);
  try {
    const result = await part();
    await sql`release savepoint attempt`.execute(transaction);
    return result;
  } catch (error) {
    await undo(transaction);
    throw error;
  }
}
