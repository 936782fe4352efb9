// Owns running the claims about the stores on the two databases.

import { after } from 'node:test';
import { startPostgres } from '../../support/postgres.ts';
import { type MakeDatabase, makeEmbedded } from '../storage/open-suite.ts';
import { storeSuite } from './store-suite.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

const makePostgres: MakeDatabase = async () => {
  if (cluster === undefined) throw new Error('skipped suites make no database');
  return { kind: 'postgres', url: await cluster.createDatabase() };
};

storeSuite('SQLite', makeEmbedded);
storeSuite('PostgreSQL', makePostgres, skip);
