// Owns the second schema: which actors have records in a part of the log, instead of an index of actors.

import type { Migration } from '../../platform/migrate/migration.ts';

/** Each record touched another page of the index: a third of what a call wrote to the disk. */
export const recordBlocks: Migration = {
  number: 2,
  name: 'record-blocks',
  async up(db, { types, tableEnd }) {
    await db.schema
      .createTable('record_blocks')
      .addColumn('org_id', types.id, (column) => column.notNull())
      .addColumn('first_index', types.integer, (column) => column.notNull())
      .addColumn('end_index', types.integer, (column) => column.notNull())
      .addColumn('actors', types.text, (column) => column.notNull())
      .addPrimaryKeyConstraint('record_blocks_pk', ['org_id', 'first_index'])
      .modifyEnd(tableEnd)
      .execute();
    await db.schema.dropIndex('records_actor').execute();
  },
};
