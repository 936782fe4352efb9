// Owns the contract of the two databases: every claim is held by both, so that stores need not know which they have.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openDatabase } from '@countersign/server/platform/db/open';
import { attempt } from '@countersign/server/platform/db/savepoints';
import { isForeignKeyViolation, isUniqueViolation } from '@countersign/server/platform/db/storage-errors';
import fc from 'fast-check';
import { sql } from 'kysely';
import { type SampleRow, type SuiteTables, sampleRow } from './fixture-schema.ts';
import { type MakeDatabase, openMigrated } from './open-suite.ts';

const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

function valueClaims(make: MakeDatabase): void {
  test('every kind of value comes back as it was stored', async (context) => {
    const { database } = await openMigrated(context, make);
    const full = sampleRow('full', {
      note: 'Zoë 日本語 👩‍👩‍👧‍👦 \n\t"quoted" ; drop table samples --',
      document: '{"b":1,  "a":[1,2,{}],"a2":1.0}',
      payload: everyByte,
      is_active: false,
      has_seen: true,
      count: Number.MAX_SAFE_INTEGER,
      at: -1,
      cost_nanos: 9_223_372_036_854_775_807n,
      share: 0.1,
    });
    const bare = sampleRow('bare', {
      payload: new Uint8Array(0),
      cost_nanos: -9_223_372_036_854_775_808n,
      share: 5,
    });
    await database.db.insertInto('samples').values([full, bare]).execute();
    const rows = await database.db.selectFrom('samples').selectAll().orderBy('id').execute();
    assert.deepStrictEqual(rows, [bare, full]);
  });

  test('any row comes back as it was stored', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\u0000', ''));
    const bytes = fc.uint8Array().map((value) => new Uint8Array(value));
    const rowOf = fc.record<SampleRow>(
      {
        id: fc.uuid(),
        note: fc.constant(null),
        document: text,
        payload: fc.option(bytes),
        is_active: fc.boolean(),
        has_seen: fc.option(fc.boolean()),
        count: fc.maxSafeInteger(),
        at: fc.maxSafeInteger(),
        cost_nanos: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        share: fc.option(fc.double({ noNaN: true, min: -1e15, max: 1e15 }).map((value) => value + 0)),
      },
      { noNullPrototype: true },
    );
    const property = fc.asyncProperty(
      fc.uniqueArray(rowOf, { selector: (row) => row.id, maxLength: 50 }),
      async (rows) => {
        await db.deleteFrom('samples').execute();
        if (rows.length > 0) await db.insertInto('samples').values(rows).execute();
        const found = await db.selectFrom('samples').selectAll().orderBy('id').execute();
        assert.deepStrictEqual(
          found,
          [...rows].sort((a, b) => (a.id < b.id ? -1 : 1)),
        );
      },
    );
    await fc.assert(property, { numRuns: 20 });
  });

  test('expressions, aliases and RETURNING lists obey the same naming rule as columns', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    const returned = await db
      .insertInto('samples')
      .values([
        sampleRow('a', { cost_nanos: 2n ** 60n }),
        sampleRow('b', { cost_nanos: 5n, is_active: false }),
      ])
      .returning(['id', 'is_active', 'cost_nanos'])
      .execute();
    assert.deepStrictEqual(returned, [
      { id: 'a', is_active: true, cost_nanos: 2n ** 60n },
      { id: 'b', is_active: false, cost_nanos: 5n },
    ]);
    const totals = await db
      .selectFrom('samples')
      .select(({ fn, exists, selectFrom }) => [
        fn.countAll<number>().as('rows'),
        fn.sum<bigint>('cost_nanos').as('total_nanos'),
        fn.sum<number>('count').as('sum_count'),
        fn.max('at').as('newest'),
        exists(selectFrom('children').select('id')).as('has_children'),
      ])
      .executeTakeFirstOrThrow();
    assert.deepStrictEqual(totals, {
      rows: 2,
      total_nanos: 2n ** 60n + 5n,
      sum_count: 0,
      newest: 1_795_000_000_000,
      has_children: false,
    });
  });

  test('whole-number arithmetic with parameters stays whole', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    await db
      .insertInto('samples')
      .values(sampleRow('a', { count: 7 }))
      .execute();
    await db
      .updateTable('samples')
      .set((eb) => ({ count: eb('count', '/', 2) }))
      .execute();
    const row = await db
      .selectFrom('samples')
      .select('count')
      .where('is_active', '=', true)
      .executeTakeFirst();
    assert.deepStrictEqual(row, { count: 3 });
  });

  test('an integer beyond the safe range is refused on reading rather than rounded', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    await db
      .insertInto('samples')
      .values(sampleRow('a', { cost_nanos: 2n ** 53n }))
      .execute();
    await assert.rejects(db.selectFrom('samples').select('cost_nanos as cost').execute());
  });

  test('values that the databases would store differently are refused', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    const refused: readonly unknown[] = [
      'a\u0000b',
      '\ud800',
      2 ** 53,
      Number.NaN,
      2n ** 63n,
      new Date(0),
      {},
      undefined,
    ];
    for (const value of refused) {
      const query = sql`select ${value} as answer`.execute(db);
      await assert.rejects(query, { name: 'AppError' }, `${typeof value} must be refused`);
    }
    await assert.rejects(sql`insert into samples (id, count) values ('x', 'seven')`.execute(db));
    await assert.rejects(
      db
        .insertInto('samples')
        .values(sampleRow('half', { count: 0.5 }))
        .execute(),
    );
  });

  test('text is ordered by its bytes', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    const ids = ['B', 'a', 'Z', 'é', 'z', '10', '9', '_'];
    await db
      .insertInto('samples')
      .values(ids.map((id) => sampleRow(id)))
      .execute();
    const rows = await db.selectFrom('samples').select('id').orderBy('id').execute();
    assert.deepStrictEqual(
      rows.map((row) => row.id),
      ['10', '9', 'B', 'Z', '_', 'a', 'z', 'é'],
    );
  });
}

function changeClaims(make: MakeDatabase): void {
  test('changes report how many rows they met', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    const inserted = await db
      .insertInto('samples')
      .values([sampleRow('a'), sampleRow('b')])
      .executeTakeFirst();
    const updated = await db
      .updateTable('samples')
      .set({ count: 1 })
      .where('id', '=', 'a')
      .executeTakeFirst();
    const nothing = await db.deleteFrom('samples').where('id', '=', 'nobody').executeTakeFirst();
    const repeated = await db
      .insertInto('samples')
      .values(sampleRow('a'))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    assert.equal(inserted.numInsertedOrUpdatedRows, 2n);
    assert.equal(updated.numUpdatedRows, 1n);
    assert.equal(nothing.numDeletedRows, 0n);
    assert.equal(repeated.numInsertedOrUpdatedRows, 0n);
  });

  test('a repeated key is recognised, as primary key and as unique column, and nothing else is', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    await db
      .insertInto('samples')
      .values(sampleRow('a', { note: 'once' }))
      .execute();
    const failures = [
      db.insertInto('samples').values(sampleRow('a')).execute(),
      db
        .insertInto('samples')
        .values(sampleRow('b', { note: 'once' }))
        .execute(),
    ];
    for (const failure of failures) await assert.rejects(failure, isUniqueViolation);
    const orphan = db.insertInto('children').values({ id: 'c', sample_id: 'nobody' }).execute();
    await assert.rejects(orphan, (error) => isForeignKeyViolation(error) && !isUniqueViolation(error));
    await assert.rejects(sql`selekt`.execute(db), (error) => !isUniqueViolation(error));
    assert.equal(isUniqueViolation('23505'), false);
  });

  test('a transaction that throws leaves nothing behind', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    const failed = db.transaction().execute(async (tx) => {
      await tx.insertInto('samples').values(sampleRow('a')).execute();
      throw new Error('changed my mind');
    });
    await assert.rejects(failed, /changed my mind/);
    assert.deepStrictEqual(await db.selectFrom('samples').selectAll().execute(), []);
  });

  test('a part that fails in a savepoint costs only itself', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    await db.transaction().execute(async (tx) => {
      await tx.insertInto('samples').values(sampleRow('a')).execute();
      const part = attempt(tx, async () => {
        await tx.insertInto('samples').values(sampleRow('lost')).execute();
        await attempt(tx, () => tx.insertInto('samples').values(sampleRow('a')).execute());
      });
      await assert.rejects(part, isUniqueViolation);
      await attempt(tx, () => tx.insertInto('samples').values(sampleRow('b')).execute());
    });
    const rows = await db.selectFrom('samples').select('id').orderBy('id').execute();
    assert.deepStrictEqual(rows, [{ id: 'a' }, { id: 'b' }]);
  });

  test('controlled transactions can go back to a savepoint', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    const tx = await db.startTransaction().execute();
    await tx.insertInto('samples').values(sampleRow('a')).execute();
    const marked = await tx.savepoint('before_b').execute();
    await marked.insertInto('samples').values(sampleRow('b')).execute();
    await marked.rollbackToSavepoint('before_b').execute();
    await tx.commit().execute();
    assert.deepStrictEqual(await db.selectFrom('samples').select('id').execute(), [{ id: 'a' }]);
  });

  test('a hundred transactions at once each keep their change', async (context) => {
    const { db } = (await openMigrated(context, make)).database;
    await db.insertInto('samples').values(sampleRow('a')).execute();
    const increments = Array.from({ length: 100 }, () =>
      db.transaction().execute(async (tx) => {
        await tx
          .updateTable('samples')
          .set((eb) => ({ count: eb('count', '+', 1) }))
          .execute();
      }),
    );
    await Promise.all(increments);
    assert.deepStrictEqual(await db.selectFrom('samples').select('count').execute(), [{ count: 100 }]);
  });
}

function readerClaims(make: MakeDatabase): void {
  test('readers see the last commit while a write is under way, and never a part of it', async (context) => {
    const { config, database } = await openMigrated(context, make);
    const reader = await openDatabase<SuiteTables>(config, 'read');
    context.after(() => reader.close());
    const ids = async () =>
      (await reader.db.selectFrom('samples').select('id').execute()).map((row) => row.id);
    await database.db.insertInto('samples').values(sampleRow('before')).execute();
    await database.db.transaction().execute(async (tx) => {
      await tx.insertInto('samples').values(sampleRow('during')).execute();
      assert.deepStrictEqual(await Promise.all([ids(), ids()]), [['before'], ['before']]);
    });
    assert.deepStrictEqual((await ids()).sort(), ['before', 'during']);
  });

  test('a database that was opened for reading refuses every change', async (context) => {
    const { config } = await openMigrated(context, make);
    const { db, close } = await openDatabase<SuiteTables>(config, 'read');
    context.after(close);
    await assert.rejects(db.insertInto('samples').values(sampleRow('a')).execute());
    await assert.rejects(sql`drop table samples`.execute(db));
    await assert.rejects(
      db.transaction().execute((tx) => tx.insertInto('samples').values(sampleRow('a')).execute()),
    );
    assert.deepStrictEqual(await db.selectFrom('samples').select('id').execute(), []);
  });

  test('what was committed is there after closing and opening again', async (context) => {
    const { config, database } = await openMigrated(context, make);
    await database.db
      .insertInto('samples')
      .values(sampleRow('kept', { payload: everyByte }))
      .execute();
    await database.close();
    const again = await openDatabase<SuiteTables>(config, 'write');
    context.after(() => again.close());
    const row = await again.db.selectFrom('samples').select('payload').executeTakeFirstOrThrow();
    assert.deepStrictEqual(row, { payload: everyByte });
  });
}

/** The claims that hold on every database; `make` gives an empty one for each. */
export function storageSuite(name: string, make: MakeDatabase, skip: string | false = false): void {
  describe(`storage on ${name}`, { skip }, () => {
    valueClaims(make);
    changeClaims(make);
    readerClaims(make);
  });
}
