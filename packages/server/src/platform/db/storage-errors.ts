// Owns what a database error means, whichever of the two databases raised it.

import { AppError } from '@countersign/core/errors';

// https://www.sqlite.org/rescode.html (extended codes) and PostgreSQL appendix A (SQLSTATE).
const sqliteUnique: ReadonlySet<unknown> = new Set([1555, 2067, 2579]);
const sqliteForeignKey: ReadonlySet<unknown> = new Set([787]);
/** Primary codes: busy, locked, out of memory, read-only, I/O error, corrupt, full, cannot open, not a database. */
const sqliteUnavailable: ReadonlySet<number> = new Set([5, 6, 7, 8, 10, 11, 13, 14, 26]);
/** Connection, resource, operator intervention, system and corruption classes; serialization and deadlock. */
const postgresUnavailableClass = /^(?:08|53|57|58|XX)/;
const postgresRetryable: ReadonlySet<unknown> = new Set(['40001', '40P01', '55P03']);
/** What node and the pool raise before PostgreSQL can answer. */
const networkCode =
  /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOENT|EAI_|ENOTFOUND|EACCES|ERR_SSL|ERR_TLS|CERT_)/;
const networkMessage =
  /^(?:Connection terminated|Query read timeout|timeout |timeout:|Cannot use a pool|Client has encountered|Client was closed|The server does not support SSL)/i;

function field(error: unknown, name: 'code' | 'errcode'): unknown {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof AppError) return field(error.cause, name);
  return Object.getOwnPropertyDescriptor(error, name)?.value;
}

/** True when a row would repeat a unique or primary key. */
export function isUniqueViolation(error: unknown): boolean {
  return sqliteUnique.has(field(error, 'errcode')) || field(error, 'code') === '23505';
}

/** True when a row names a parent that is not there, or a parent still has children. */
export function isForeignKeyViolation(error: unknown): boolean {
  const code = field(error, 'code');
  return sqliteForeignKey.has(field(error, 'errcode')) || code === '23503' || code === '23001';
}

/** True when the same transaction may succeed if it is run again from its start. */
export function isRetryable(error: unknown): boolean {
  const errcode = field(error, 'errcode');
  if (typeof errcode === 'number') return (errcode & 0xff) === 5 || (errcode & 0xff) === 6;
  return postgresRetryable.has(field(error, 'code'));
}

function isUnavailable(error: Error): boolean {
  const errcode = field(error, 'errcode');
  if (typeof errcode === 'number') return sqliteUnavailable.has(errcode & 0xff);
  const code = field(error, 'code');
  if (typeof code !== 'string') return networkMessage.test(error.message);
  return postgresUnavailableClass.test(code) || networkCode.test(code) || postgresRetryable.has(code);
}

/**
 * Turns "the database cannot serve now" into `storage_unavailable`, with the database's error as cause; every other
 * error (a constraint, a mistake in SQL) passes unchanged for the caller to recognise.
 */
export function toStorageError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error) || !isUnavailable(error)) return error;
  return new AppError(
    'storage_unavailable',
    'the database cannot be reached or cannot write: retry shortly',
    {
      retryAfterSeconds: 1,
      cause: error,
    },
  );
}
