// Owns the kysely dialect over node:sqlite: one connection that takes turns, immediate transactions, savepoints.

import type { DatabaseSync } from 'node:sqlite';
import { AppError } from '@countersign/core/errors';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { savepointMethods } from './savepoints.ts';
import { sqliteStatements } from './sqlite-statements.ts';
import { toStorageError } from './storage-errors.ts';
import { createTurn } from './turn.ts';
import { areRows } from './values.ts';

export type SqliteDriverOptions = {
  /** How long a query waits, in milliseconds, for a transaction that holds the connection. */
  readonly waitMs: number;
  /** Prepared statements kept. */
  readonly statementLimit: number;
  readonly isReadOnly: boolean;
};

const modifies: ReadonlySet<string> = new Set([
  'InsertQueryNode',
  'UpdateQueryNode',
  'DeleteQueryNode',
  'MergeQueryNode',
]);

function sqliteConnection(
  database: DatabaseSync,
  statementLimit: number,
  isBegun: () => boolean,
): DatabaseConnection {
  const statements = sqliteStatements(database, statementLimit);
  return {
    // `async`, so that what node:sqlite throws becomes a rejection.
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      // INVARIANT: a full disk or an I/O error undoes the whole transaction; a statement that follows because its
      // caller caught the error would otherwise be committed alone (https://www.sqlite.org/lang_transaction.html).
      if (isBegun() && !database.isTransaction) throw undone();
      try {
        const { rows, changes } = statements.run(query.sql, query.parameters);
        if (!areRows<Row>(rows)) throw new AppError('internal', 'the driver returned no rows');
        if (!modifies.has(query.query.kind)) return { rows };
        return { rows, numAffectedRows: changes ?? BigInt(rows.length) };
      } catch (error) {
        throw toStorageError(error);
      }
    },
    streamQuery() {
      throw new AppError('internal', 'streaming is not offered: read page by page, ordered by a key');
    },
  };
}

function undone(): AppError {
  return new AppError('storage_unavailable', 'the database has undone the transaction: run it again', {
    retryAfterSeconds: 1,
  });
}

function execute(database: DatabaseSync, command: string): void {
  try {
    database.exec(command);
  } catch (error) {
    throw toStorageError(error);
  }
}

function sqliteDriver(
  database: DatabaseSync,
  connection: DatabaseConnection,
  state: { isBegun: boolean },
  options: SqliteDriverOptions,
): Driver {
  const turn = createTurn(options.waitMs);
  // INVARIANT: a writer takes the write lock when it begins, so that no transaction that has read fails to upgrade.
  const begin = options.isReadOnly ? 'begin deferred' : 'begin immediate';
  return {
    async init() {},
    async acquireConnection() {
      await turn.take();
      return connection;
    },
    async beginTransaction() {
      execute(database, begin);
      state.isBegun = true;
    },
    async commitTransaction() {
      if (!database.isTransaction) throw undone();
      execute(database, 'commit');
      state.isBegun = false;
    },
    async rollbackTransaction() {
      state.isBegun = false;
      // A full disk or an I/O error has rolled back already; a second rollback would hide that error.
      if (database.isTransaction) execute(database, 'rollback');
    },
    ...savepointMethods,
    async releaseConnection() {
      turn.give();
    },
    async destroy() {
      if (database.isOpen) database.close();
    },
  };
}

/** Runs a statement inside the transaction that is under way on the only connection there is. */
export type DirectRun = <Row>(query: CompiledQuery) => Promise<QueryResult<Row>>;

/** A dialect over one connection, and the way to it inside of a transaction, past kysely's own layers. */
export type SqliteDialect = {
  readonly dialect: Dialect;
  /** Throws `internal` outside of a transaction, where it could come between another one's statements. */
  readonly direct: DirectRun;
};

/**
 * kysely over one open node:sqlite connection. Queries outside of a transaction wait until it ends: inside of one,
 * use only the transaction that kysely hands out, or the wait is for oneself and ends after `waitMs`.
 */
export function sqliteDialect(database: DatabaseSync, options: SqliteDriverOptions): SqliteDialect {
  const state = { isBegun: false };
  const connection = sqliteConnection(database, options.statementLimit, () => state.isBegun);
  return {
    dialect: {
      createDriver: () => sqliteDriver(database, connection, state, options),
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (db) => new SqliteIntrospector(db),
    },
    direct: async <Row>(query: CompiledQuery) => {
      if (!state.isBegun) throw new AppError('internal', 'a direct statement needs a transaction');
      return connection.executeQuery<Row>(query);
    },
  };
}
