// Owns bringing a store to this version's schema without serving it.

import { openDatabase } from '../platform/db/open.ts';
import { type MigrationReport, type MigrationTables, migrate } from '../platform/migrate/migrate.ts';
import { migrations } from '../stores/migrations/list.ts';
import { readSettings } from './settings.ts';

/** Applies the missing migrations of the store that the environment names. */
export async function migrateStore(env: {
  readonly [name: string]: string | undefined;
}): Promise<MigrationReport> {
  const config = readSettings(env);
  const url = config.databaseUrl?.reveal();
  const storage =
    url === undefined
      ? ({ kind: 'sqlite', directory: config.dataDir } as const)
      : ({ kind: 'postgres', url } as const);
  const database = await openDatabase<MigrationTables>(storage, 'migrate');
  return migrate(database, migrations).finally(database.close);
}
