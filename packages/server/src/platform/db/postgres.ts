// Owns the kysely dialect over a bounded pool of `pg` connections, with every wait bounded.

import { AppError } from '@countersign/core/errors';
import {
  AbortedTransactionError,
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import { DatabaseError, Pool, type PoolClient } from 'pg';
import { convertRows, rawTypes } from './postgres-values.ts';
import { savepointMethods } from './savepoints.ts';
import { toStorageError } from './storage-errors.ts';
import { areRows, checkParameter } from './values.ts';

export type PostgresOptions = {
  /** `postgresql://user:password@host:port/database?sslmode=verify-full` */
  readonly url: string;
  /** Most connections at once. */
  readonly poolSize: number;
  /** Milliseconds for getting a connection, new or from the pool. */
  readonly connectTimeoutMs: number;
  /**
   * Milliseconds for one statement, and for which a transaction may stand still; 0: none. The client gives up a
   * little later: a server that still answers has then ended the statement, or the transaction, by itself.
   */
  readonly statementTimeoutMs: number;
  /** Opens every transaction read only. */
  readonly isReadOnly: boolean;
  /** Told when an idle connection breaks; the pool replaces it by itself. */
  readonly onIdleError: (error: Error) => void;
  /** Asked before each statement's connection is given, and before each commit. */
  readonly mayWrite: () => boolean;
};

/** A query's result with the server's command tag, which only commit looks at. */
type Tagged<Row> = QueryResult<Row> & { readonly command: string };

interface Connection extends DatabaseConnection {
  executeQuery<Row>(query: CompiledQuery): Promise<Tagged<Row>>;
  /** True once an answer was given up: nothing can be said on it any more. */
  readonly isBroken: () => boolean;
  readonly release: () => void;
  readonly discard: () => void;
}

/** How much longer than the server the client waits for the end of a statement, in milliseconds. */
const clientMarginMs = 250;

const modifies: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

async function send<Row>(client: PoolClient, query: CompiledQuery): Promise<Tagged<Row>> {
  const { rows, fields, rowCount, command } = await client.query(
    query.sql,
    query.parameters.map(checkParameter),
  );
  convertRows(fields, rows);
  if (!areRows<Row>(rows)) throw new AppError('internal', 'the driver returned no rows');
  if (!modifies.has(command)) return { rows, command };
  return { rows, command, numAffectedRows: BigInt(rowCount ?? 0) };
}

/** True unless the server itself refused the statement and stays ready for the next one. */
function leavesDoubt(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.severity !== 'ERROR';
  const mapped = toStorageError(error);
  return mapped instanceof AppError && mapped.code === 'storage_unavailable';
}

function postgresConnection(client: PoolClient): Connection {
  let isBroken = false;
  function discard(): void {
    isBroken = true;
  }
  // The pool listens on idle connections only; one that breaks between two queries would end the process.
  client.on('error', discard);
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<Tagged<Row>> {
      try {
        return await send<Row>(client, query);
      } catch (error) {
        // INVARIANT: a connection whose answer may still come is never used again, or answers would be swapped.
        isBroken ||= leavesDoubt(error);
        throw toStorageError(error);
      }
    },
    streamQuery() {
      throw new AppError('internal', 'streaming is not offered: read page by page, ordered by a key');
    },
    isBroken: () => isBroken,
    release() {
      client.off('error', discard);
      client.release(isBroken);
    },
    discard,
  };
}

/**
 * INVARIANT: what was confirmed survives a crash of the server, whatever its settings say: signatures have left by then.
 * A setting that waits for more than its own disk stays.
 */
const waitForDisk =
  "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";

function openPool(options: PostgresOptions): Pool {
  const { statementTimeoutMs } = options;
  const pool = new Pool({
    connectionString: options.url,
    application_name: 'countersign',
    max: options.poolSize,
    connectionTimeoutMillis: options.connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs === 0 ? 0 : statementTimeoutMs + clientMarginMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    types: rawTypes,
    ...(options.isReadOnly ? { options: '-c default_transaction_read_only=on' } : {}),
  });
  pool.on('error', options.onIdleError);
  // Sent before whatever the connection is taken for; where it fails, the connection has broken.
  if (!options.isReadOnly) pool.on('connect', (client) => void client.query(waitForDisk).catch(() => {}));
  return pool;
}

/** The refusal where the server gives no connection. */
export function noConnection(cause: unknown): AppError {
  return new AppError(
    'storage_unavailable',
    'the PostgreSQL server gives no connection: check DATABASE_URL',
    {
      retryAfterSeconds: 1,
      cause,
    },
  );
}

function notHeld(): AppError {
  return new AppError(
    'storage_unavailable',
    'the connection that holds the database for this process was lost: retry shortly',
    { retryAfterSeconds: 1 },
  );
}

async function acquire(pool: Pool): Promise<Connection> {
  try {
    return postgresConnection(await pool.connect());
  } catch (error) {
    throw noConnection(error);
  }
}

function begin(settings: TransactionSettings): CompiledQuery {
  const isolation =
    settings.isolationLevel === undefined ? '' : ` isolation level ${settings.isolationLevel}`;
  const access = settings.accessMode === undefined ? '' : ` ${settings.accessMode}`;
  return CompiledQuery.raw(`start transaction${isolation}${access}`);
}

function postgresDriver(options: PostgresOptions): Driver {
  const pool = openPool(options);
  return {
    async init() {},
    async acquireConnection() {
      if (!options.mayWrite()) throw notHeld();
      return acquire(pool);
    },
    async beginTransaction(connection, settings) {
      await connection.executeQuery(begin(settings));
    },
    async commitTransaction(connection: Connection) {
      // INVARIANT: what began before the hold was lost is not committed after it.
      if (!options.mayWrite()) throw notHeld();
      // A transaction that an earlier error spoilt answers COMMIT with ROLLBACK, and no error.
      const { command } = await connection.executeQuery(CompiledQuery.raw('commit'));
      if (command === 'ROLLBACK') throw new AbortedTransactionError();
    },
    async rollbackTransaction(connection: Connection) {
      // It is closed instead, which rolls back as well: the caller has waited once for an answer, and no more.
      if (connection.isBroken()) return;
      try {
        await connection.executeQuery(CompiledQuery.raw('rollback'));
      } catch {
        // Closing the connection rolls back as well; the error that led here is the one to report.
        connection.discard();
      }
    },
    ...savepointMethods,
    async releaseConnection(connection: Connection) {
      connection.release();
    },
    destroy: () => pool.end(),
  };
}

/** kysely over PostgreSQL 14 or newer, giving the same JavaScript values as the dialect over SQLite. */
export function postgresDialect(options: PostgresOptions): Dialect {
  return {
    createDriver: () => postgresDriver(options),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}
