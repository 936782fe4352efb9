// Owns the embedded directory: its files, their permissions, the pragmas, and the lock that admits one process.

import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '@countersign/core/errors';
import { makeFolder } from '../folders/make-folder.ts';

const databaseFileName = 'countersign.db';
const lockFileName = 'countersign.lock';

/** The database of an embedded directory. */
export const databasePath = (directory: string): string => join(directory, databaseFileName);

/** Holds the embedded directory for this process until `release`, or until the process dies in whatever way. */
export type DirectoryLock = { readonly release: () => void };

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const errcode: unknown = Object.getOwnPropertyDescriptor(error, 'errcode')?.value;
  return typeof errcode === 'number' && ((errcode & 0xff) === 5 || (errcode & 0xff) === 6);
}

// INVARIANT: a file is created before SQLite opens it and never opened otherwise by this process: closing any other
// descriptor of it would drop SQLite's POSIX locks (https://www.sqlite.org/howtocorrupt.html, 2.2).
function createPrivately(path: string): void {
  if (existsSync(path)) {
    chmodSync(path, 0o600);
    return;
  }
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

/** Makes the directory (0700) unless it is there; an existing one keeps its permissions, its files are 0600. */
export function prepareDirectory(directory: string): string {
  const path = resolve(directory);
  try {
    makeFolder(path);
    createPrivately(join(path, lockFileName));
  } catch (error) {
    throw new AppError(
      'storage_unavailable',
      `the data directory \`${path}\` cannot be written; set COUNTERSIGN_DATA_DIR to one that can`,
      { cause: error },
    );
  }
  return path;
}

/**
 * Takes the directory for this process, or throws `storage_unavailable` at once. The lock is an exclusive
 * transaction on a file of its own: the kernel drops it when the process ends, `kill -9` included, so no stale
 * lock can be left behind.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const lock = new DatabaseSync(join(directory, lockFileName), { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new AppError(
      'storage_unavailable',
      `another countersign process is using \`${directory}\`; stop it or set COUNTERSIGN_DATA_DIR to another directory`,
    );
  }
  return {
    release() {
      if (lock.isOpen) lock.close();
    },
  };
}

/**
 * Opens the database for writing. Every commit is on the disk when it returns (WAL, synchronous=FULL); deleted
 * content is overwritten, because erasing a person relies on it.
 */
export function openForWriting(directory: string): DatabaseSync {
  const path = databasePath(directory);
  createPrivately(path);
  const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
  database.exec(`
    pragma page_size = 8192;
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma wal_autocheckpoint = 4000;
    pragma cache_size = -4000;
    pragma secure_delete = on;
    pragma temp_store = memory;
    pragma trusted_schema = off;
    pragma cell_size_check = on;
  `);
  return database;
}

/** Opens the database that a writer has created, for reading only, beside the writer and without the lock. */
export function openForReading(directory: string): DatabaseSync {
  const path = databasePath(directory);
  if (!existsSync(path)) {
    throw new AppError(
      'storage_unavailable',
      `there is no database in \`${directory}\`; start the server once first`,
    );
  }
  const database = new DatabaseSync(path, { timeout: 5000, readOnly: true });
  database.exec('pragma cache_size = -2000; pragma temp_store = memory; pragma trusted_schema = off;');
  return database;
}
