// Owns the claims about values: what is stored comes back, and what could not is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import { type SampleRow, sampleRow } from './fixture-schema.ts';
import { type MakeDatabase, openMigrated } from './open-suite.ts';

const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

function roundTripClaims(make: MakeDatabase): void {
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
}

function namingClaims(make: MakeDatabase): void {
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
}

function refusalClaims(make: MakeDatabase): void {
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

/** The claims about values, to be called inside of a suite. */
export function valueClaims(make: MakeDatabase): void {
  roundTripClaims(make);
  namingClaims(make);
  refusalClaims(make);
}
