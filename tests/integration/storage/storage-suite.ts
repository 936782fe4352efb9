// Owns the contract of the two databases: every claim is held by both, so that stores need not know which they have.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openDatabase } from '@countersign/server/platform/db/open';
import { sql } from 'kysely';
import { changeClaims } from './change-claims.ts';
import { type SuiteTables, sampleRow } from './fixture-schema.ts';
import { type MakeDatabase, openMigrated } from './open-suite.ts';
import { valueClaims } from './value-claims.ts';

const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

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
