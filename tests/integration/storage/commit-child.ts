// Owns a process that commits batches for as long as it lives and says so after each: the kill test's victim.

import { writeSync } from 'node:fs';
import { openDatabase, type StorageConfig } from '@countersign/server/platform/db/open';
import { batchRows } from './committed.ts';
import type { SuiteTables } from './fixture-schema.ts';

const [kind, place = '', from = '0'] = process.argv.slice(2);
const config: StorageConfig =
  kind === 'postgres' ? { kind, url: place } : { kind: 'sqlite', directory: place };
const { db } = await openDatabase<SuiteTables>(config, 'write');

for (let batch = Number(from); ; batch += 1) {
  await db.transaction().execute(async (tx) => {
    for (const row of batchRows(batch)) await tx.insertInto('commits').values(row).execute();
  });
  writeSync(1, `${batch}\n`);
}
