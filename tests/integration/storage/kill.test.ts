// Owns the proof that nothing acknowledged is lost when the process is killed in the middle of commits.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type OpenDatabase, openDatabase, type StorageConfig } from '@countersign/server/platform/db/open';
import { sql } from 'kysely';
import { startPostgres } from '../../support/postgres.ts';
import { batchRows } from './committed.ts';
import type { SuiteTables } from './fixture-schema.ts';
import { type MakeDatabase, makeEmbedded, migrateFixture } from './open-suite.ts';

const child = fileURLToPath(new URL('./commit-child.ts', import.meta.url));
/** Kills a dialect; the long suite sets COUNTERSIGN_TEST_KILLS to 1000. */
const kills = Number(process.env.COUNTERSIGN_TEST_KILLS ?? 20);

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

/** Lets a child commit from batch `from` on, kills it at a random moment, and gives the last batch that it acknowledged. */
async function commitAndKill(config: StorageConfig, from: number): Promise<number> {
  const place = config.kind === 'sqlite' ? config.directory : config.url;
  const victim = spawn(process.execPath, [child, config.kind, place, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const over = once(victim, 'close');
  let last = from - 1;
  const started = Promise.withResolvers<void>();
  createInterface({ input: victim.stdout }).on('line', (line) => {
    last = Number(line);
    started.resolve();
  });
  await Promise.race([started.promise, over]);
  await sleep(Math.random() * 60);
  victim.kill('SIGKILL');
  await over;
  return last;
}

/** Checks batches `from` to `acknowledged`; at most one more may be there, and if so, whole. Gives the next batch. */
async function checkBatches(
  database: OpenDatabase<SuiteTables>,
  from: number,
  acknowledged: number,
): Promise<number> {
  const rows = await database.db
    .selectFrom('commits')
    .select(['batch', 'position', 'payload'])
    .where('batch', '>=', from)
    .orderBy('batch')
    .orderBy('position')
    .execute();
  const last = rows.at(-1)?.batch ?? from - 1;
  assert.ok(
    last === acknowledged || last === acknowledged + 1,
    `acknowledged ${acknowledged}, found ${last}`,
  );
  const expected = Array.from({ length: last - from + 1 }, (_, index) => batchRows(from + index)).flat();
  assert.deepStrictEqual(rows, expected);
  return last + 1;
}

async function surviveKills(context: TestContext, make: MakeDatabase): Promise<void> {
  const config = await make(context);
  await migrateFixture(config);
  let next = 0;
  for (let round = 0; round < kills; round += 1) {
    const acknowledged = await commitAndKill(config, next);
    assert.ok(acknowledged >= next, 'the child committed at least once');
    // Opening for writing at once also shows that the dead process holds no lock.
    const database = await openDatabase<SuiteTables>(config, 'write');
    next = await checkBatches(database, next, acknowledged);
    await database.close();
  }
  const database = await openDatabase<SuiteTables>(config, 'read');
  await checkBatches(database, 0, next - 1);
  if (config.kind === 'sqlite') {
    const { rows } = await sql`pragma integrity_check`.execute(database.db);
    assert.deepStrictEqual(rows, [{ integrity_check: 'ok' }]);
  }
  await database.close();
  context.diagnostic(`${kills} kills, ${next} batches, none lost`);
}

test(`kill -9 in the middle of commits loses nothing acknowledged on SQLite`, (context) =>
  surviveKills(context, makeEmbedded));

test(`kill -9 in the middle of commits loses nothing acknowledged on PostgreSQL`, { skip }, (context) =>
  surviveKills(context, async () => {
    if (cluster === undefined) throw new Error('skipped tests make no database');
    return { kind: 'postgres', url: await cluster.createDatabase() };
  }),
);
