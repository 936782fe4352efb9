// Owns the first schema: objects, the ledger, what is sealed, and the small tables beside them.

import type { CreateTableBuilder } from 'kysely';
import type { Migration, MigrationContext, MigrationDb } from '../../platform/migrate/migration.ts';

type Column = keyof MigrationContext['types'];
type Shape = { readonly [column: string]: Column | `${Column}?` };

const isColumn = (name: string, types: MigrationContext['types']): name is Column =>
  Object.hasOwn(types, name);

/** Creates a table from its columns; a `?` makes a column nullable. The primary key comes in order. */
async function table(
  db: MigrationDb,
  context: MigrationContext,
  name: string,
  shape: Shape,
  primaryKey: readonly string[],
): Promise<void> {
  let builder: CreateTableBuilder<string, string> = db.schema.createTable(name);
  for (const [column, spec] of Object.entries(shape)) {
    const isNullable = spec.endsWith('?');
    const type = isNullable ? spec.slice(0, -1) : spec;
    if (!isColumn(type, context.types)) throw new RangeError(`\`${type}\` is no column type`);
    builder = builder.addColumn(column, context.types[type], (c) => (isNullable ? c : c.notNull()));
  }
  const [first, ...rest] = primaryKey;
  if (first === undefined) throw new RangeError('a table needs a primary key');
  await builder
    .addPrimaryKeyConstraint(`${name}_pk`, [first, ...rest])
    .modifyEnd(context.tableEnd)
    .execute();
}

async function objects(db: MigrationDb, context: MigrationContext): Promise<void> {
  await table(
    db,
    context,
    'objects',
    {
      org_id: 'id',
      kind: 'text',
      id: 'id',
      version: 'integer',
      created_at: 'timestamp',
      state: 'json',
      unique_key: 'text?',
      owner_key: 'text?',
    },
    ['org_id', 'kind', 'id'],
  );
  const index = (name: string) => db.schema.createIndex(name).on('objects');
  await index('objects_unique').columns(['org_id', 'kind', 'unique_key']).unique().execute();
  await index('objects_owner').columns(['org_id', 'kind', 'owner_key']).execute();
  await index('objects_by_id').columns(['kind', 'id']).unique().execute();
  await index('objects_by_key').columns(['kind', 'unique_key']).execute();
}

async function ledger(db: MigrationDb, context: MigrationContext): Promise<void> {
  await table(
    db,
    context,
    'heads',
    {
      org_id: 'id',
      log_kind: 'text',
      version: 'integer',
      size: 'integer',
      frontier: 'blob',
      checkpoint: 'text',
      origin: 'text',
      verifier_key: 'text',
      sealed_signing_key: 'blob',
      projected: 'integer',
    },
    ['org_id'],
  );
  await table(
    db,
    context,
    'entry_bundles',
    { org_id: 'id', first_index: 'integer', entry_count: 'integer', bytes: 'blob' },
    ['org_id', 'first_index'],
  );
  await table(db, context, 'changes', { org_id: 'id', version: 'integer', entry_index: 'integer' }, [
    'org_id',
    'version',
  ]);
  await table(db, context, 'tiles', { org_id: 'id', level: 'integer', tile: 'integer', hashes: 'blob' }, [
    'org_id',
    'level',
    'tile',
  ]);
}

async function policies(db: MigrationDb, context: MigrationContext): Promise<void> {
  const shape: Shape = { org_id: 'id', version: 'integer', hash: 'text', text: 'text', compiled: 'json' };
  await table(db, context, 'policies', shape, ['org_id', 'version']);
}

async function projection(db: MigrationDb, context: MigrationContext): Promise<void> {
  await table(
    db,
    context,
    'records',
    {
      org_id: 'id',
      entry_index: 'integer',
      outcome_index: 'integer?',
      id: 'id',
      request_id: 'id?',
      at: 'timestamp',
      type: 'text',
      event: 'text?',
      actor_id: 'id',
      workspace_id: 'id?',
      application_id: 'id?',
      model: 'text?',
      decision: 'text?',
      labels: 'text?',
      status: 'text?',
      boot: 'text?',
      detail: 'json',
      outcome: 'json?',
    },
    ['org_id', 'entry_index'],
  );
  const index = (name: string) => db.schema.createIndex(name).on('records');
  await index('records_id').columns(['org_id', 'id']).unique().execute();
  await index('records_request').columns(['org_id', 'request_id']).execute();
  await index('records_actor').columns(['org_id', 'actor_id', 'entry_index']).execute();
  await table(
    db,
    context,
    'usage_daily',
    {
      org_id: 'id',
      day: 'integer',
      dimensions: 'text',
      user_id: 'id?',
      key_id: 'id?',
      team_ids: 'text',
      workspace_id: 'id?',
      cost_centre: 'text?',
      model: 'text?',
      model_id: 'id?',
      application_id: 'id?',
      requests: 'integer',
      estimated: 'integer',
      input_tokens: 'integer',
      output_tokens: 'integer',
      cached_tokens: 'integer',
      reasoning_tokens: 'integer',
      cost_nanos: 'nanos',
    },
    ['org_id', 'day', 'dimensions'],
  );
}

async function sealed(db: MigrationDb, context: MigrationContext): Promise<void> {
  await table(
    db,
    context,
    'subjects',
    { org_id: 'id', subject_id: 'id', sealed_key: 'blob?', sealed_profile: 'blob?', email_index: 'text?' },
    ['org_id', 'subject_id'],
  );
  await db.schema
    .createIndex('subjects_email')
    .on('subjects')
    .columns(['org_id', 'email_index'])
    .unique()
    .execute();
  await table(
    db,
    context,
    'sidecars',
    { org_id: 'id', entry_id: 'id', purpose: 'text', subject_id: 'id', sealed: 'blob' },
    ['org_id', 'entry_id', 'purpose'],
  );
  await db.schema.createIndex('sidecars_subject').on('sidecars').columns(['org_id', 'subject_id']).execute();
  await table(db, context, 'provider_keys', { org_id: 'id', provider_id: 'id', sealed: 'blob' }, [
    'org_id',
    'provider_id',
  ]);
}

async function beside(db: MigrationDb, context: MigrationContext): Promise<void> {
  await table(
    db,
    context,
    'provider_objects',
    {
      org_id: 'id',
      provider_id: 'id',
      model_id: 'id',
      external_id: 'text',
      kind: 'text',
      owner_id: 'id',
      workspace_id: 'id',
      entry_id: 'id',
      created_at: 'timestamp',
    },
    ['org_id', 'provider_id', 'external_id'],
  );
  await table(
    db,
    context,
    'idempotency',
    {
      org_id: 'id',
      principal_id: 'id',
      idempotency_key: 'text',
      request_hash: 'text',
      response: 'json',
      created_at: 'timestamp',
    },
    ['org_id', 'principal_id', 'idempotency_key'],
  );
  await table(db, context, 'key_uses', { org_id: 'id', key_id: 'id', last_used_at: 'timestamp' }, [
    'org_id',
    'key_id',
  ]);
  await table(
    db,
    context,
    'erasure_requests',
    { org_id: 'id', user_id: 'id', requested_by: 'id', reason: 'text', created_at: 'timestamp' },
    ['org_id', 'user_id'],
  );
  await table(
    db,
    context,
    'installation',
    { org_id: 'id', setup_digest: 'text?', sealed_index_key: 'blob', created_at: 'timestamp' },
    ['org_id'],
  );
}

export const foundation: Migration = {
  number: 1,
  name: 'foundation',
  up: async (db, context) => {
    await objects(db, context);
    await ledger(db, context);
    await policies(db, context);
    await projection(db, context);
    await sealed(db, context);
    await beside(db, context);
  },
};
