// Owns the fourth schema: what usage is counted for is written once, and its counts by day are small rows beside it.

import type { Migration, MigrationContext, MigrationDb } from '../../platform/migrate/migration.ts';

const columns = [
  'user_id',
  'key_id',
  'team_ids',
  'workspace_id',
  'cost_centre',
  'model',
  'model_id',
  'application_id',
] as const;
const counters = [
  'requests',
  'estimated',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'reasoning_tokens',
] as const;

type Dimensions = { readonly [Column in (typeof columns)[number]]: string | null };
type Counters = { readonly [Counter in (typeof counters)[number]]: number };
type Numbered = { readonly org_id: string; readonly dimension_id: number };
type MovedTables = {
  readonly usage_daily: Dimensions &
    Counters & {
      readonly org_id: string;
      readonly day: number;
      readonly dimensions: string;
      readonly cost_nanos: bigint;
    };
  readonly usage_dimensions: Dimensions & Numbered & { readonly dimensions: string };
  readonly usage_days: Counters & Numbered & { readonly day: number; readonly cost_nanos: bigint };
};

async function createTables(db: MigrationDb, context: MigrationContext): Promise<void> {
  const { types } = context;
  let dimensions = db.schema
    .createTable('usage_dimensions')
    .addColumn('org_id', types.id, (column) => column.notNull())
    .addColumn('dimension_id', types.integer, (column) => column.notNull())
    .addColumn('dimensions', types.text, (column) => column.notNull());
  for (const name of columns)
    dimensions = dimensions.addColumn(name, types.text, (c) => (name === 'team_ids' ? c.notNull() : c));
  await dimensions
    .addPrimaryKeyConstraint('usage_dimensions_pk', ['org_id', 'dimension_id'])
    .modifyEnd(context.tableEnd)
    .execute();
  await db.schema
    .createIndex('usage_dimensions_text')
    .on('usage_dimensions')
    .columns(['org_id', 'dimensions'])
    .unique()
    .execute();
  let days = db.schema
    .createTable('usage_days')
    .addColumn('org_id', types.id, (column) => column.notNull())
    .addColumn('day', types.integer, (column) => column.notNull())
    .addColumn('dimension_id', types.integer, (column) => column.notNull());
  for (const name of counters) days = days.addColumn(name, types.integer, (column) => column.notNull());
  await days
    .addColumn('cost_nanos', types.nanos, (column) => column.notNull())
    .addPrimaryKeyConstraint('usage_days_pk', ['org_id', 'day', 'dimension_id'])
    .modifyEnd(context.keyedTableEnd)
    .execute();
}

async function moveRows(db: MigrationDb): Promise<void> {
  const moved = db.withTables<MovedTables>();
  await moved
    .insertInto('usage_dimensions')
    .columns(['org_id', 'dimension_id', 'dimensions', ...columns])
    .expression((eb) =>
      eb
        .selectFrom('usage_daily')
        .select((each) => [
          'org_id',
          each.fn
            .agg<number>('row_number')
            .over((over) => over.partitionBy('org_id').orderBy('dimensions'))
            .as('dimension_id'),
          'dimensions',
          ...columns.map((name) => each.fn.min(name).as(name)),
        ])
        .groupBy(['org_id', 'dimensions']),
    )
    .execute();
  await moved
    .insertInto('usage_days')
    .columns(['org_id', 'day', 'dimension_id', ...counters, 'cost_nanos'])
    .expression((eb) =>
      eb
        .selectFrom('usage_daily')
        .innerJoin('usage_dimensions', (join) =>
          join
            .onRef('usage_dimensions.org_id', '=', 'usage_daily.org_id')
            .onRef('usage_dimensions.dimensions', '=', 'usage_daily.dimensions'),
        )
        .select([
          'usage_daily.org_id',
          'usage_daily.day',
          'usage_dimensions.dimension_id',
          ...counters.map((name) => `usage_daily.${name}` as const),
          'usage_daily.cost_nanos',
        ]),
    )
    .execute();
}

/**
 * The row of a call's usage was 400 bytes with a key of 300, so that nearly every call of 10,000 keys wrote two pages of
 * its own. The counts alone are a tenth of that.
 */
export const usageDimensions: Migration = {
  number: 4,
  name: 'usage-dimensions',
  async up(db, context) {
    await createTables(db, context);
    await moveRows(db);
    await db.schema.dropTable('usage_daily').execute();
    await db.schema.alterTable('usage_days').renameTo('usage_daily').execute();
  },
};
