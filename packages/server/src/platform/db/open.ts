// Owns opening the database that the configuration names, for one of three purposes.

import { resolve } from 'node:path';
import { AppError } from '@countersign/core/errors';
import { Kysely, sql } from 'kysely';
import { type DirectRun, sqliteDialect } from './sqlite-driver.ts';
import {
  type DirectoryLock,
  lockDirectory,
  openForReading,
  openForWriting,
  prepareDirectory,
} from './sqlite-file.ts';

export type DialectName = 'sqlite' | 'postgres';

export type StorageConfig =
  | { readonly kind: 'sqlite'; readonly directory: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      /** Most connections of this process and mode; 10 unless told otherwise. */
      readonly poolSize?: number;
      /** 1000 ms unless told otherwise. */
      readonly connectTimeoutMs?: number;
      /** 1000 ms unless told otherwise; it does not bind migrations. */
      readonly statementTimeoutMs?: number;
      readonly onIdleError?: (error: Error) => void;
      /** False while the store is not this process's: nothing is then asked, and nothing committed. */
      readonly mayWrite?: () => boolean;
    };

/**
 * `write` owns the embedded directory and may change rows; `read` refuses every change; `migrate` is `write` on one
 * connection without a statement time-out.
 */
export type OpenMode = 'write' | 'read' | 'migrate';

/** An open database: the queries, what they run on, and its end. */
export type OpenDatabase<DB> = {
  readonly db: Kysely<DB>;
  readonly dialect: DialectName;
  /** Where there is one connection: on SQLite. */
  readonly direct?: DirectRun;
  /** Resolves when the database answers. Throws `storage_unavailable` if it does not within a statement's time. */
  readonly check: () => Promise<void>;
  /** Closes the connections and gives the embedded directory free. */
  readonly close: () => Promise<void>;
};

const statementLimit = 256;
const waitMs = 30_000;

function openSqlite<DB>(directory: string, mode: OpenMode): OpenDatabase<DB> {
  const isReadOnly = mode === 'read';
  const path = isReadOnly ? resolve(directory) : prepareDirectory(directory);
  const lock: DirectoryLock = isReadOnly ? { release() {} } : lockDirectory(path);
  try {
    const file = isReadOnly ? openForReading(path) : openForWriting(path);
    const { dialect, direct } = sqliteDialect(file, { waitMs, statementLimit, isReadOnly });
    const db = new Kysely<DB>({ dialect });
    return {
      db,
      dialect: 'sqlite',
      direct,
      async check() {},
      async close() {
        await db.destroy();
        if (file.isOpen) file.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    if (error instanceof AppError) throw error;
    throw new AppError(
      'storage_unavailable',
      `the database in \`${path}\` cannot be opened: check its files, their owner and the disk`,
      { cause: error },
    );
  }
}

async function openPostgres<DB>(
  config: Extract<StorageConfig, { kind: 'postgres' }>,
  mode: OpenMode,
): Promise<OpenDatabase<DB>> {
  // Each thread on an embedded store would keep its code for nothing.
  const { postgresDialect } = await import('./postgres.ts');
  const db = new Kysely<DB>({
    dialect: postgresDialect({
      url: config.url,
      poolSize: mode === 'migrate' ? 1 : (config.poolSize ?? 10),
      connectTimeoutMs: config.connectTimeoutMs ?? 1_000,
      statementTimeoutMs: mode === 'migrate' ? 0 : (config.statementTimeoutMs ?? 1_000),
      isReadOnly: mode === 'read',
      onIdleError: config.onIdleError ?? (() => {}),
      mayWrite: config.mayWrite ?? (() => true),
    }),
  });
  const check = async (): Promise<void> => {
    await sql`select 1`.execute(db);
  };
  try {
    await check();
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return { db, dialect: 'postgres', check, close: () => db.destroy() };
}

/**
 * Opens the configured database. The first `read` of an embedded directory comes after a `write` or `migrate` has
 * created it. Throws `storage_unavailable` when another process holds the directory, when it cannot be written, or
 * when PostgreSQL gives no connection.
 */
export async function openDatabase<DB>(config: StorageConfig, mode: OpenMode): Promise<OpenDatabase<DB>> {
  return config.kind === 'sqlite' ? openSqlite(config.directory, mode) : openPostgres(config, mode);
}
