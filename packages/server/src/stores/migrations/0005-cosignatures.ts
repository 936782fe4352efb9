// Owns the fifth schema: what witnesses have cosigned of each log, and the newest checkpoint that enough of them have.

import type { Migration } from '../../platform/migrate/migration.ts';

/** Both tables are beside the log: code that does not know them writes the same entries. */
export const cosignatures: Migration = {
  number: 5,
  name: 'cosignatures',
  worksWith: 4,
  async up(db, { types, tableEnd }) {
    await db.schema
      .createTable('cosignatures')
      .addColumn('org_id', types.id, (column) => column.notNull())
      .addColumn('witness_key', types.text, (column) => column.notNull())
      .addColumn('origin', types.text, (column) => column.notNull())
      .addColumn('size', types.integer, (column) => column.notNull())
      .addColumn('checkpoint', types.text, (column) => column.notNull())
      .addColumn('signature', types.text, (column) => column.notNull())
      .addPrimaryKeyConstraint('cosignatures_pk', ['org_id', 'witness_key'])
      .modifyEnd(tableEnd)
      .execute();
    await db.schema
      .createTable('cosigned_checkpoints')
      .addColumn('org_id', types.id, (column) => column.notNull())
      .addColumn('origin', types.text, (column) => column.notNull())
      .addColumn('size', types.integer, (column) => column.notNull())
      .addColumn('checkpoint', types.text, (column) => column.notNull())
      .addPrimaryKeyConstraint('cosigned_checkpoints_pk', ['org_id'])
      .modifyEnd(tableEnd)
      .execute();
  },
};
