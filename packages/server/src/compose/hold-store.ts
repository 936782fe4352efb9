// Owns holding the store that a process writes to: a second process on the same one is refused.

import { randomBytes } from 'node:crypto';
import type { AppError } from '@countersign/core/errors';
import { type OpenDatabase, openDatabase, type StorageConfig } from '../platform/db/open.ts';
import { type MigrationReport, type MigrationTables, migrate } from '../platform/migrate/migrate.ts';
import { readJournalPlace, startJournal } from '../stores/journal-places.ts';
import { migrations } from '../stores/migrations/list.ts';
import type { Tables } from '../stores/schema.ts';

export type HoldHearing = {
  /** What an operator should know while it goes on. */
  readonly warn: (text: string) => void;
  /** Another process has the store: this one must end. */
  readonly onTaken: (error: AppError) => void;
};

type Held = {
  /** The same store, which takes nothing while the hold is lost. */
  readonly storage: StorageConfig;
  readonly release: () => Promise<void>;
};

const lost =
  'the connection that holds the PostgreSQL database for this process was lost: nothing is recorded, and calls are refused, until it is back';
const back = 'this process holds the PostgreSQL database again';

/** An embedded directory is held by whoever opens it to write; of PostgreSQL, this process takes hold here. */
async function hold(
  storage: StorageConfig,
  isUntouched: () => Promise<boolean>,
  { warn, onTaken }: HoldHearing,
): Promise<Held> {
  if (storage.kind === 'sqlite') return { storage, release: async () => {} };
  // Each thread on an embedded store would keep its code for nothing.
  const { holdPostgres } = await import('../platform/db/postgres-hold.ts');
  const name = randomBytes(8).toString('hex');
  const held = await holdPostgres(
    { url: storage.url, name },
    { isUntouched, onTaken, onLost: () => warn(lost), onBack: () => warn(back) },
  );
  return { storage: { ...storage, mayWrite: held.isHeld }, release: held.release };
}

async function migrateHeld(storage: StorageConfig): Promise<MigrationReport> {
  const database = await openDatabase<MigrationTables>(storage, 'migrate');
  return migrate(database, migrations).finally(database.close);
}

/** Brings the schema up to date. Throws `storage_unavailable` if another process has the store. */
export async function migrateAlone(storage: StorageConfig): Promise<MigrationReport> {
  const held = await hold(storage, async () => false, { warn: () => {}, onTaken: () => {} });
  return migrateHeld(held.storage).finally(held.release);
}

/** On PostgreSQL, where no journal is, its place says whose run was the last that wrote. */
async function noteRun(storage: StorageConfig, { db }: OpenDatabase<Tables>, run: Uint8Array): Promise<void> {
  if (storage.kind === 'postgres') await db.transaction().execute((tx) => startJournal(tx, run));
}

async function isLastRun(storage: StorageConfig, run: Uint8Array): Promise<boolean> {
  const { db, close } = await openDatabase<Tables>(storage, 'read');
  try {
    const last = await readJournalPlace(db);
    return last !== undefined && Buffer.from(last.id).equals(run);
  } finally {
    await close();
  }
}

/**
 * Takes the store for this process, brings its schema up to date, and opens it for writing. Throws
 * `storage_unavailable` if another process has it. On PostgreSQL the hold may be lost while this process runs: until it
 * is back, nothing can be written; where another process has had the store meanwhile, `onTaken` hears of it.
 */
export async function openHeld(storage: StorageConfig, hear: HoldHearing): Promise<OpenDatabase<Tables>> {
  const run = randomBytes(16);
  const held = await hold(storage, () => isLastRun(storage, run), hear);
  try {
    await migrateHeld(held.storage);
    const database = await openDatabase<Tables>(held.storage, 'write');
    await noteRun(storage, database, run);
    return { ...database, close: () => database.close().finally(held.release) };
  } catch (error) {
    await held.release();
    throw error;
  }
}
