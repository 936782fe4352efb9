// Owns the seventh schema: the note by which a closed log's key has handed over to the log that continues it.

import type { Migration } from '../../platform/migrate/migration.ts';

/** Of logs that were closed before there is none. */
export const successions: Migration = {
  number: 7,
  name: 'successions',
  worksWith: 6,
  async up(db, { types }) {
    await db.schema.alterTable('closed_logs').addColumn('succession', types.text).execute();
  },
};
