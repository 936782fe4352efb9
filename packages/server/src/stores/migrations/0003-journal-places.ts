// Owns the third schema: how far the embedded store has taken in its journal.

import type { Migration } from '../../platform/migrate/migration.ts';

/** Code without this step would not read a journal, so none may run on the schema. */
export const journalPlaces: Migration = {
  number: 3,
  name: 'journal-places',
  async up(db, { types, tableEnd }) {
    await db.schema
      .createTable('journal_places')
      .addColumn('journal_id', types.blob, (column) => column.notNull())
      .addColumn('next_sequence', types.integer, (column) => column.notNull())
      .addColumn('next_offset', types.integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('journal_places_pk', ['journal_id'])
      .modifyEnd(tableEnd)
      .execute();
  },
};
