// Owns the claims about statements that go past kysely's layers: they belong to the transaction that is under way.

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Kysely } from 'kysely';
import { sqliteDialect } from './sqlite-driver.ts';

type Tables = { readonly things: { readonly name: string } };

function open() {
  const database = new DatabaseSync(':memory:');
  database.exec('create table things (name text not null) strict');
  const options = { waitMs: 1_000, statementLimit: 8, isReadOnly: false };
  const { dialect, direct } = sqliteDialect(database, options);
  const db = new Kysely<Tables>({ dialect });
  const insert = db.insertInto('things').values({ name: 'a' }).compile();
  const count = () => database.prepare('select count(*) as n from things').get()?.n;
  return { db, direct, insert, count, database };
}

test('a direct statement is part of the transaction, and goes when it is rolled back', async () => {
  const { db, direct, insert, count } = open();
  await db.transaction().execute(() => direct(insert));
  assert.equal(count(), 1);
  const failed = db.transaction().execute(async () => {
    await direct(insert);
    throw new Error('given up');
  });
  await assert.rejects(failed, /given up/);
  assert.equal(count(), 1);
  await db.destroy();
});

test('outside of a transaction a direct statement is refused and changes nothing', async () => {
  const { db, direct, insert, count } = open();
  await assert.rejects(direct(insert), { code: 'internal' });
  await db.transaction().execute(() => direct(insert));
  await assert.rejects(direct(insert), { code: 'internal' });
  assert.equal(count(), 1);
  await db.destroy();
});

test('after the database has undone a transaction by itself, its next direct statement is refused', async () => {
  const { db, direct, insert, count, database } = open();
  const undone = db.transaction().execute(async () => {
    await direct(insert);
    database.exec('rollback');
    await direct(insert);
  });
  await assert.rejects(undone, { code: 'storage_unavailable' });
  assert.equal(count(), 0);
  await db.destroy();
});
