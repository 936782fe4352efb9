// Owns the claims about changes: transactions, savepoints, counts and recognisable violations.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attempt } from '@countersign/server/platform/db/savepoints';
import { isForeignKeyViolation, isUniqueViolation } from '@countersign/server/platform/db/storage-errors';
import { sql } from 'kysely';
import { sampleRow } from './fixture-schema.ts';
import { type MakeDatabase, openMigrated } from './open-suite.ts';

function statementClaims(make: MakeDatabase): void {
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
}

function transactionClaims(make: MakeDatabase): void {
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

/** The claims about changes, to be called inside of a suite. */
export function changeClaims(make: MakeDatabase): void {
  statementClaims(make);
  transactionClaims(make);
}
