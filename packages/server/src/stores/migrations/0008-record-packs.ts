// Owns the eighth schema: many calls as one row that says where their entries lie, instead of a row for each.

import type { Migration } from '../../platform/migrate/migration.ts';

/** Code without this step would not find the calls in packs. */
export const recordPacks: Migration = {
  number: 8,
  name: 'record-packs',
  async up(db, { types, tableEnd }) {
    await db.schema
      .createTable('record_packs')
      .addColumn('org_id', types.id, (column) => column.notNull())
      .addColumn('first_index', types.integer, (column) => column.notNull())
      .addColumn('end_index', types.integer, (column) => column.notNull())
      .addColumn('first_id', types.id, (column) => column.notNull())
      .addColumn('last_id', types.id, (column) => column.notNull())
      .addColumn('first_request', types.id, (column) => column.notNull())
      .addColumn('last_request', types.id, (column) => column.notNull())
      .addColumn('first_at', types.timestamp, (column) => column.notNull())
      .addColumn('last_at', types.timestamp, (column) => column.notNull())
      .addColumn('marks', types.text, (column) => column.notNull())
      .addColumn('places', types.blob, (column) => column.notNull())
      .addPrimaryKeyConstraint('record_packs_pk', ['org_id', 'first_index'])
      .modifyEnd(tableEnd)
      .execute();
    await db.schema
      .createIndex('record_packs_id')
      .on('record_packs')
      .columns(['org_id', 'last_id', 'first_id'])
      .execute();
    await db.schema
      .createIndex('record_packs_request')
      .on('record_packs')
      .columns(['org_id', 'last_request', 'first_request'])
      .execute();
  },
};
