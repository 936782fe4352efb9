// Owns running the storage and migration suites on the two databases.

import { after } from 'node:test';
import { startPostgres } from '../../support/postgres.ts';
import { migrationSuite } from './migration-suite.ts';
import { type MakeDatabase, makeEmbedded } from './open-suite.ts';
import { storageSuite } from './storage-suite.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

const makePostgres: MakeDatabase = async () => {
  if (cluster === undefined) throw new Error('skipped suites make no database');
  return { kind: 'postgres', url: await cluster.createDatabase() };
};

storageSuite('SQLite', makeEmbedded);
storageSuite('PostgreSQL', makePostgres, skip);
migrationSuite('SQLite', makeEmbedded);
migrationSuite('PostgreSQL', makePostgres, skip);
