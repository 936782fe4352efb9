// Owns opening a fresh, migrated database for one test, and closing it when the test ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type OpenDatabase, openDatabase, type StorageConfig } from '@countersign/server/platform/db/open';
import { type MigrationTables, migrate } from '@countersign/server/platform/migrate/migrate';
import { type SuiteTables, suiteMigrations } from './fixture-schema.ts';

/** Makes an empty database of one dialect, and gives how to reach it. */
export type MakeDatabase = (context: TestContext) => Promise<StorageConfig>;

/** An embedded directory of its own, deleted with the test. */
export function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-storage-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const makeEmbedded: MakeDatabase = async (context) => ({
  kind: 'sqlite',
  directory: temporaryDirectory(context),
});

export async function migrateFixture(config: StorageConfig): Promise<void> {
  const database = await openDatabase<MigrationTables>(config, 'migrate');
  try {
    await migrate(database, suiteMigrations);
  } finally {
    await database.close();
  }
}

/** A migrated database, open for writing, and its configuration for opening it again. */
export async function openMigrated(
  context: TestContext,
  make: MakeDatabase,
): Promise<{ readonly config: StorageConfig; readonly database: OpenDatabase<SuiteTables> }> {
  const config = await make(context);
  await migrateFixture(config);
  const database = await openDatabase<SuiteTables>(config, 'write');
  context.after(() => database.close());
  return { config, database };
}
