// Owns the claims about checkpoints beside the writer: they move what was committed, and the log is used again.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCheckpoints } from './sqlite-checkpoints.ts';
import { databasePath, openForReading, openForWriting, prepareDirectory } from './sqlite-file.ts';

test('the log is moved into the database beside the writer, and does not grow while it is', async () => {
  const directory = prepareDirectory(mkdtempSync(join(tmpdir(), 'countersign-wal-')));
  const writer = openForWriting(directory);
  const stop = startCheckpoints(directory);
  try {
    writer.exec('pragma wal_autocheckpoint = 0; create table things (bytes blob not null) strict');
    const insert = writer.prepare('insert into things values (zeroblob(100000))');
    const sizes: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      for (let i = 0; i < 10; i += 1) insert.run();
      await sleep(600);
      sizes.push(statSync(`${databasePath(directory)}-wal`).size);
    }
    // Each round writes a megabyte: nobody else moves it.
    assert.ok((sizes.at(-1) ?? 0) < 2_500_000, sizes.join());
    assert.ok(statSync(databasePath(directory)).size > 4_000_000);
    const reader = openForReading(directory);
    assert.equal(reader.prepare('select count(*) as n from things').get()?.n, 50);
    reader.close();
  } finally {
    stop();
    writer.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
