// Claims about a store that was restored from a backup: no log goes on from where the backup left it.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, type TestContext, test } from 'node:test';
import { runCli } from '@countersign/cli/run-cli';
import { formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { sha256, utf8 } from '@countersign/server/services/ledger/crypto';
import { Client } from 'pg';
import { startPostgres } from '../support/postgres.ts';
import {
  embedded,
  folderOf,
  onPostgres,
  plainEnv,
  type Restorable,
  runOnce,
  serving,
} from '../support/restorable-store.ts';
import { at, requestApi, textAt } from '../support/server.ts';
import {
  type Environment,
  initProcessStore,
  processEnv,
  runServer,
  within,
} from '../support/server-process.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

/** What a start says that must be refused. */
async function refusedStart(env: Environment): Promise<string> {
  const starting = runServer({ env });
  const { code } = await within(30_000, 'the end of the refused start', starting.ended).finally(
    starting.kill,
  );
  assert.equal(code, 1, starting.lines.join('\n'));
  return starting.lines.at(-1) ?? '';
}

async function claimRefusal(t: TestContext, store: Restorable): Promise<void> {
  const made = await initProcessStore(store.env);
  await runOnce(t, store.env, made, ['first']);
  await store.backUp();
  const newest = await runOnce(t, store.env, made, ['second', 'third']);
  await runOnce(t, store.env, made, []);
  await store.restore();
  const signed = readFileSync(store.checkpoints, 'utf8');
  const [origin = '', size = ''] = newest.split('\n');
  for (const attempt of ['first', 'second']) {
    const said = await refusedStart(store.env);
    assert.ok(
      said.includes(`\`${origin}\` has ${Number(size) - 2} entries in this store, but has signed ${size}`),
      said,
    );
    assert.match(
      said,
      /^countersign: .*restored from a backup, or entries were cut or changed; put the newer data back/,
    );
    assert.equal(readFileSync(store.checkpoints, 'utf8'), signed, `nothing is signed by the ${attempt} try`);
  }
  const key = await runCli(['owner-key'], plainEnv(store.env));
  assert.equal(key.code, 1);
  assert.match(key.err, /but has signed/);
}

test('a restored embedded store is not served', { timeout: 120_000 }, (t) => claimRefusal(t, embedded(t)));

test('a restored PostgreSQL store is not served', { skip, timeout: 120_000 }, async (t) =>
  claimRefusal(t, await onPostgres(t, cluster)),
);

test('a checkpoint that somebody kept refuses a restored store, where the file of checkpoints was restored with it', {
  timeout: 120_000,
}, async (t) => {
  const store = embedded(t);
  const made = await initProcessStore(store.env);
  const older = await runOnce(t, store.env, made, ['first']);
  await store.backUp();
  const newest = await runOnce(t, store.env, made, ['second']);
  await store.restore();
  rmSync(store.checkpoints);
  const kept = join(folderOf(t), 'checkpoint.kept');
  const env = { ...store.env, COUNTERSIGN_HELD_CHECKPOINT: kept };
  writeFileSync(kept, newest);
  assert.match(await refusedStart(env), /but has signed .*checkpoint\.kept/);
  writeFileSync(kept, JSON.stringify({ checkpoint: newest, verifierKey: 'x' }));
  assert.match(await refusedStart(env), /but has signed/);
  for (const text of ['nothing', older.replace('org_', 'org_0')]) {
    writeFileSync(kept, text);
    assert.match(await refusedStart(env), /holds no checkpoint that a log of this store has signed/);
  }
  writeFileSync(kept, older);
  await runOnce(t, env, made, ['third']);
  writeFileSync(kept, newest);
  assert.match(
    await refusedStart(env),
    /has \d+ entries in this store, of which the first \d+ are not those/,
  );
  // Two histories were signed: the log goes on from the one that is here, and cites the other.
  const go = ['ledger', 'continue', '--archive'];
  await store.backUp();
  const named = await runCli([...go, join(folderOf(t), 'archive'), '--held', kept], plainEnv(store.env));
  assert.equal(named.code, 0, named.err);
  // What refused the start is known without a flag, too.
  await store.restore();
  rmSync(store.checkpoints);
  const known = await runCli([...go, join(folderOf(t), 'archive')], plainEnv(env));
  assert.equal(known.code, 0, known.err);
  assert.match(await runOnce(t, env, made, ['fourth']), /^[^\n]+\/2\n/);
});

test('an empty store is not begun where a checkpoint says that there was one', {
  timeout: 60_000,
}, async (t) => {
  const store = embedded(t);
  const made = await initProcessStore(store.env);
  const kept = join(folderOf(t), 'checkpoint.kept');
  writeFileSync(kept, await runOnce(t, store.env, made, ['first']));
  const elsewhere = processEnv(join(folderOf(t), 'data'), { COUNTERSIGN_HELD_CHECKPOINT: kept });
  assert.match(
    await refusedStart(elsewhere),
    /holds no checkpoint that a log of this store has signed: the store is empty, put the backup/,
  );
});

test('an untouched store starts, whatever strangers write into the file of checkpoints', {
  timeout: 120_000,
}, async (t) => {
  const store = embedded(t);
  const made = await initProcessStore(store.env);
  const newest = await runOnce(t, store.env, made, ['first']);
  const forged = newest.replace(/\n(\d+)\n/, (_, size) => `\n${Number(size) + 100}\n`);
  assert.notEqual(forged, newest);
  const torn = newest.slice(0, -40);
  appendFileSync(store.checkpoints, `\u0000\u0001 garbage\n\n${forged}\nelsewhere.test/log\n9\n\n${torn}`);
  const again = await runOnce(t, store.env, made, ['second']);
  assert.ok(Number(again.split('\n')[1]) > Number(newest.split('\n')[1]));
  assert.ok(readFileSync(store.checkpoints, 'utf8').includes(`\n\n${again}`), 'it is appended after that');
});

test('PostgreSQL confirms nothing that its crash could take back, whatever its settings say', {
  skip,
}, async () => {
  assert.ok(cluster !== undefined);
  const url = new URL(await cluster.createDatabase());
  const { openDatabase } = await import('@countersign/server/platform/db/open');
  const { sql } = await import('kysely');
  for (const [configured, used] of [
    ['off', 'on'],
    ['remote_write', 'remote_write'],
  ] as const) {
    const client = new Client({ connectionString: url.href });
    await client.connect();
    await client.query(`alter database ${url.pathname.slice(1)} set synchronous_commit = ${configured}`);
    await client.end();
    const database = await openDatabase({ kind: 'postgres', url: url.href }, 'write');
    const { rows } = await sql`show synchronous_commit`.execute(database.db).finally(database.close);
    assert.equal(at(rows[0], 'synchronous_commit'), used);
  }
});

/** Changes the head of every log in the database of an embedded store. */
function editHeads(
  env: Environment,
  edit: (head: { readonly origin: string; readonly key: string }) => string,
) {
  const db = new DatabaseSync(join(env.COUNTERSIGN_DATA_DIR ?? '', 'countersign.db'));
  for (const row of db.prepare('select org_id, origin, verifier_key from heads').all())
    db.exec(
      `update heads set ${edit({ origin: String(row.origin), key: String(row.verifier_key) })} where org_id = '${row.org_id}'`,
    );
  db.close();
}

test('a restored store whose logs were given another name or key in the database signs nothing', {
  timeout: 120_000,
}, async (t) => {
  const store = embedded(t);
  const made = await initProcessStore(store.env);
  await runOnce(t, store.env, made, ['first']);
  await store.backUp();
  await runOnce(t, store.env, made, ['second']);
  const signed = readFileSync(store.checkpoints, 'utf8');
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  for (const edit of [
    ({ origin }) => `origin = '${origin}x'`,
    ({ origin }) =>
      `verifier_key = '${formatVerifierKey(makeVerifierKey({ sha256, utf8 }, origin, 'ed25519', raw))}'`,
  ] satisfies Parameters<typeof editHeads>[1][]) {
    await store.restore();
    editHeads(store.env, edit);
    await serving(t, store.env, async ({ url }) => {
      const answer = await requestApi(url, made.managementKey, 'POST', '/workspaces', { name: 'other' });
      assert.equal(answer.status, 503, JSON.stringify(answer.body));
      assert.match(textAt(answer.body, 'detail'), /another name or verifier key in the store/);
    });
    assert.equal(readFileSync(store.checkpoints, 'utf8'), signed);
  }
});

test('a store in which somebody changed what a log has signed gets nothing else signed', {
  timeout: 120_000,
}, async (t) => {
  const store = embedded(t);
  const made = await initProcessStore(store.env);
  await runOnce(t, store.env, made, ['first']);
  const signed = readFileSync(store.checkpoints, 'utf8');
  editHeads(store.env, () => 'frontier = randomblob(length(frontier))');
  await serving(t, store.env, async ({ url }) => {
    const answer = await requestApi(url, made.managementKey, 'POST', '/workspaces', { name: 'other' });
    assert.equal(answer.status, 503, JSON.stringify(answer.body));
    assert.match(textAt(answer.body, 'detail'), /is not what the log has signed/);
  });
  assert.equal(readFileSync(store.checkpoints, 'utf8'), signed);
});
