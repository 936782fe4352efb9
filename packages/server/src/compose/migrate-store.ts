// Owns bringing a store to this version's schema without serving it.

import { readFileSync } from 'node:fs';
import { loadConfig } from '../platform/config/load.ts';
import { openDatabase } from '../platform/db/open.ts';
import { type MigrationReport, type MigrationTables, migrate } from '../platform/migrate/migrate.ts';
import { migrations } from '../stores/migrations/list.ts';
import { clientVariables } from './init-store.ts';

/** Applies the missing migrations of the store that the environment names. */
export async function migrateStore(env: {
  readonly [name: string]: string | undefined;
}): Promise<MigrationReport> {
  const { config } = loadConfig(env, (path) => readFileSync(path, 'utf8'), { alsoKnown: clientVariables });
  const url = config.databaseUrl?.reveal();
  const storage =
    url === undefined
      ? ({ kind: 'sqlite', directory: config.dataDir } as const)
      : ({ kind: 'postgres', url } as const);
  const database = await openDatabase<MigrationTables>(storage, 'migrate');
  return migrate(database, migrations).finally(database.close);
}
