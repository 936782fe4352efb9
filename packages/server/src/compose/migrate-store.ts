// Owns bringing a store to this version's schema without serving it.

import type { MigrationReport } from '../platform/migrate/migrate.ts';
import { migrateAlone } from './hold-store.ts';
import { readSettings } from './settings.ts';

/** Applies the missing migrations of the store that the environment names, which no other process may have. */
export async function migrateStore(env: {
  readonly [name: string]: string | undefined;
}): Promise<MigrationReport> {
  const config = readSettings(env);
  const url = config.databaseUrl?.reveal();
  return migrateAlone(
    url === undefined ? { kind: 'sqlite', directory: config.dataDir } : { kind: 'postgres', url },
  );
}
