// Owns the schema of logs that were closed: a restored log goes on under a new origin, and the former one stays readable.

import type { Migration } from '../../platform/migrate/migration.ts';

/** Code without this step would take a closed log's records for those of the log that continues it. */
export const closedLogs: Migration = {
  number: 6,
  name: 'closed-logs',
  async up(db, { types, tableEnd }) {
    await db.schema
      .createTable('closed_logs')
      .addColumn('org_id', types.id, (column) => column.notNull())
      .addColumn('number', types.integer, (column) => column.notNull())
      .addColumn('origin', types.text, (column) => column.notNull())
      .addColumn('verifier_key', types.text, (column) => column.notNull())
      .addColumn('checkpoint', types.text, (column) => column.notNull())
      .addColumn('size', types.integer, (column) => column.notNull())
      .addColumn('begun_size', types.integer, (column) => column.notNull())
      .addColumn('archive', types.text, (column) => column.notNull())
      .addColumn('closed_at', types.timestamp, (column) => column.notNull())
      .addPrimaryKeyConstraint('closed_logs_pk', ['org_id', 'number'])
      .modifyEnd(tableEnd)
      .execute();
  },
};
