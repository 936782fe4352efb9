// Owns the claims about checkpoints beside the writer: they move what was committed, and leave nothing when they must.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCheckpoints } from './sqlite-checkpoints.ts';
import { databasePath, openForReading, openForWriting, prepareDirectory } from './sqlite-file.ts';

function open(context: TestContext) {
  const directory = prepareDirectory(mkdtempSync(join(tmpdir(), 'countersign-wal-')));
  const writer = openForWriting(directory);
  const checkpoints = startCheckpoints(directory);
  context.after(() => {
    checkpoints.stop();
    writer.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const log = `${databasePath(directory)}-wal`;
  const files = (): Buffer => Buffer.concat([databasePath(directory), log].map((path) => readFileSync(path)));
  return { directory, writer, checkpoints, log, files };
}

test('the log is moved into the database beside the writer, and does not grow while it is', async (context) => {
  const { directory, writer, log } = open(context);
  writer.exec('pragma wal_autocheckpoint = 0; create table things (bytes blob not null) strict');
  const insert = writer.prepare('insert into things values (zeroblob(100000))');
  const sizes: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    for (let i = 0; i < 10; i += 1) insert.run();
    await sleep(600);
    sizes.push(statSync(log).size);
  }
  // Each round writes a megabyte: nobody else moves it.
  assert.ok((sizes.at(-1) ?? 0) < 2_500_000, sizes.join());
  assert.ok(statSync(databasePath(directory)).size > 4_000_000);
  const reader = openForReading(directory);
  assert.equal(reader.prepare('select count(*) as n from things').get()?.n, 50);
  reader.close();
});

const secretOf = (n: number): Buffer => Buffer.from(`subject-key-to-be-destroyed-${n}-`);

test('what was destroyed is in no file after the log was emptied, however long the log had grown', async (context) => {
  const { writer, checkpoints, log, files } = open(context);
  writer.exec('create table keys (id integer primary key, bytes blob) strict');
  const insert = writer.prepare('insert into keys values (?, ?)');
  for (let n = 0; n < 300; n += 1)
    insert.run(n, Buffer.concat([secretOf(n), Buffer.alloc((n * 37) % 900, n)]));
  // Used again from its start, with the old frames behind its new end.
  await sleep(600);
  writer.exec('create table other (bytes blob) strict');
  const gone = Array.from({ length: 150 }, (_, i) => 2 * i);
  for (const n of gone) writer.prepare('update keys set bytes = null where id = ?').run(n);
  await sleep(600);
  assert.ok(gone.some((n) => files().includes(secretOf(n))));
  assert.equal(await checkpoints.empty(), true);
  assert.equal(statSync(log).size, 0);
  const left = files();
  assert.deepEqual(
    gone.filter((n) => left.includes(secretOf(n))),
    [],
  );
  assert.equal(left.includes(secretOf(1)), true);
});

test('whoever reads is waited for within bounds, and the log is emptied once they have ended', async (context) => {
  const { directory, writer, checkpoints, log } = open(context);
  writer.exec('create table keys (bytes blob) strict');
  writer.prepare('insert into keys values (?)').run(secretOf(1));
  const reader = openForReading(directory);
  reader.exec('begin; select count(*) from keys');
  writer.exec('delete from keys');
  assert.equal(await checkpoints.empty(50), false);
  assert.ok(statSync(log).size > 0);
  // Nobody waits for them: what comes is written.
  writer.prepare('insert into keys values (?)').run(secretOf(2));
  const emptied = checkpoints.empty(5_000);
  setTimeout(() => reader.exec('commit'), 100);
  assert.equal(await emptied, true);
  assert.equal(statSync(log).size, 0);
  reader.exec('begin; select count(*) from keys');
  writer.exec('delete from keys');
  assert.equal(await checkpoints.empty(20), false);
  reader.close();
  await sleep(600);
  assert.equal(statSync(log).size, 0, 'by the next checkpoint, without being asked');
});
