// Owns the claims about usage at rest: what an older schema counted, and the numbers that stand for whom it counts.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeId, type OrgId } from '@countersign/core/ids';
import { openDatabase, type StorageConfig } from '@countersign/server/platform/db/open';
import { type MigrationTables, migrate } from '@countersign/server/platform/migrate/migrate';
import { migrations } from '@countersign/server/stores/migrations/list';
import type { Tables } from '@countersign/server/stores/schema';
import { addUsage, readUsage, type UsageRow } from '@countersign/server/stores/usage';
import { createUsageNumbers } from '@countersign/server/stores/usage-numbers';
import type { MakeDatabase } from '../storage/open-suite.ts';

const orgId: OrgId = makeId('org', 1_795_000_000_000, new Uint8Array(10).fill(1));
const otherId: OrgId = makeId('org', 1_795_000_000_000, new Uint8Array(10).fill(2));

function usage(user: string, day: number, requests = 1): UsageRow {
  return {
    day,
    dimensions: JSON.stringify([user, null, '', null, null, 'large', null, null, '']),
    user_id: user,
    key_id: null,
    team_ids: '',
    workspace_id: null,
    cost_centre: null,
    model: 'large',
    model_id: null,
    application_id: null,
    requests,
    estimated: 0,
    input_tokens: 10 * requests,
    output_tokens: 20 * requests,
    cached_tokens: 0,
    reasoning_tokens: 0,
    cost_nanos: 9_007_199_254_740_993n,
  };
}

/** The schema as it was before usage had numbers. */
type FormerTables = { readonly usage_daily: UsageRow & { readonly org_id: string } };

async function migrateTo(config: StorageConfig, until: number): Promise<void> {
  const database = await openDatabase<MigrationTables>(config, 'migrate');
  await migrate(database, migrations.slice(0, until)).finally(database.close);
}

async function openStore(context: TestContext, config: StorageConfig) {
  const database = await openDatabase<Tables>(config, 'write');
  context.after(() => database.close());
  return database.db;
}

const span = { fromDay: 0, toDay: 100 };

export function usageTests(makeDatabase: MakeDatabase, skip: false | string): void {
  test('usage that an older schema counted is the same after the migration', { skip }, async (context) => {
    const config = await makeDatabase(context);
    await migrateTo(config, 3);
    const former = [usage('a', 1), usage('a', 2, 3), usage('b', 2)];
    const rows = [...former.map((row) => ({ org_id: orgId, ...row })), { org_id: otherId, ...usage('a', 1) }];
    const before = await openDatabase<FormerTables>(config, 'write');
    await before.db.insertInto('usage_daily').values(rows).execute().finally(before.close);
    await migrateTo(config, migrations.length);
    const db = await openStore(context, config);
    const read = await readUsage(db, orgId, span);
    const order = (one: UsageRow, two: UsageRow) =>
      one.day - two.day || (one.dimensions < two.dimensions ? -1 : 1);
    assert.deepEqual(read.toSorted(order), former.toSorted(order));
    assert.deepEqual(await readUsage(db, otherId, span), [usage('a', 1)]);
    assert.deepEqual(await readUsage(db, orgId, { ...span, userId: 'b' }), [usage('b', 2)]);
    // What comes now is counted with what was moved.
    const numbers = createUsageNumbers()();
    await db.transaction().execute((tx) => addUsage(tx, orgId, [usage('a', 1), usage('c', 1)], numbers));
    const day = await readUsage(db, orgId, { fromDay: 1, toDay: 1 });
    assert.deepEqual(day.map(({ user_id: user, requests }) => `${user} ${requests}`).sort(), ['a 2', 'c 1']);
  });

  test('a number that was not committed is not remembered', { skip }, async (context) => {
    const config = await makeDatabase(context);
    await migrateTo(config, migrations.length);
    const db = await openStore(context, config);
    const numbersOfOne = createUsageNumbers();
    async function add(user: string, isKept: boolean): Promise<void> {
      const numbers = numbersOfOne();
      await db.transaction().execute(async (tx) => {
        await addUsage(tx, orgId, [usage(user, 1)], numbers);
        if (!isKept) throw new RangeError('undone');
      });
      numbers.committed();
    }
    await assert.rejects(add('first', false), RangeError);
    // Takes the number that the first one lost.
    await add('second', true);
    await add('first', true);
    await add('second', true);
    const read = await readUsage(db, orgId, span);
    assert.deepEqual(read.map(({ user_id: user, requests }) => `${user} ${requests}`).sort(), [
      'first 1',
      'second 2',
    ]);
  });
}
