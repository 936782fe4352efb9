// Owns the tables that the storage suites use: one column of every kind, one parent, one child.

import type { MigrationTables } from '@countersign/server/platform/migrate/migrate';
import type { Migration } from '@countersign/server/platform/migrate/migration';

export type SampleRow = {
  readonly id: string;
  readonly note: string | null;
  readonly document: string;
  readonly payload: Uint8Array | null;
  readonly is_active: boolean;
  readonly has_seen: boolean | null;
  readonly count: number;
  readonly at: number;
  readonly cost_nanos: bigint;
  readonly share: number | null;
};

export type SuiteTables = MigrationTables & {
  readonly samples: SampleRow;
  readonly children: { readonly id: string; readonly sample_id: string };
  readonly commits: { readonly batch: number; readonly position: number; readonly payload: Uint8Array };
};

export const suiteMigrations: readonly Migration[] = [
  {
    number: 1,
    name: 'samples',
    async up(db, { types, tableEnd }) {
      await db.schema
        .createTable('samples')
        .addColumn('id', types.id, (column) => column.primaryKey().notNull())
        .addColumn('note', types.text, (column) => column.unique())
        .addColumn('document', types.json, (column) => column.notNull())
        .addColumn('payload', types.blob)
        .addColumn('is_active', types.boolean, (column) => column.notNull())
        .addColumn('has_seen', types.boolean)
        .addColumn('count', types.integer, (column) => column.notNull())
        .addColumn('at', types.timestamp, (column) => column.notNull())
        .addColumn('cost_nanos', types.nanos, (column) => column.notNull())
        .addColumn('share', types.real)
        .modifyEnd(tableEnd)
        .execute();
      await db.schema
        .createTable('children')
        .addColumn('id', types.id, (column) => column.primaryKey().notNull())
        .addColumn('sample_id', types.id, (column) => column.notNull().references('samples.id'))
        .modifyEnd(tableEnd)
        .execute();
    },
  },
  {
    number: 2,
    name: 'commits',
    worksWith: 1,
    async up(db, { types, tableEnd }) {
      await db.schema
        .createTable('commits')
        .addColumn('batch', types.integer, (column) => column.notNull())
        .addColumn('position', types.integer, (column) => column.notNull())
        .addColumn('payload', types.blob, (column) => column.notNull())
        .addPrimaryKeyConstraint('commits_key', ['batch', 'position'])
        .modifyEnd(tableEnd)
        .execute();
    },
  },
];

/** A row with every column set; `changes` replace what a test is about. */
export function sampleRow(id: string, changes: Partial<SampleRow> = {}): SampleRow {
  return {
    id,
    note: null,
    document: '{}',
    payload: null,
    is_active: true,
    has_seen: null,
    count: 0,
    at: 1_795_000_000_000,
    cost_nanos: 0n,
    share: null,
    ...changes,
  };
}
