// Claims about a restored store that goes on: under a new origin and key, citing the last checkpoint held, and provably so.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCli } from '@countersign/cli/run-cli';
import { startPostgres } from '../support/postgres.ts';
import { assertReplays, storageOf } from '../support/replayed-store.ts';
import {
  embedded,
  folderOf,
  type Made,
  onPostgres,
  plainEnv,
  type Restorable,
  runOnce,
  serving,
} from '../support/restorable-store.ts';
import { at, requestApi, textAt } from '../support/server.ts';
import { initProcessStore, runServer, type ServerProcess, within } from '../support/server-process.ts';
import { claimSuccession } from '../support/succession.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

/** A call through the gateway. Gives the id of its record. */
async function call({ url }: ServerProcess, { modelsKey }: Made): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${modelsKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
  });
  assert.equal(response.status, 200, await response.text());
  return response.headers.get('x-countersign-record') ?? '';
}

async function publish({ url }: ServerProcess, made: Made, tokens: number): Promise<void> {
  // Long enough for several parts.
  const text = `permit (principal, action, resource) unless { context.tokens > ${tokens} };\n${'// so\n'.repeat(9_000)}`;
  const { status, body } = await requestApi(url, made.managementKey, 'PUT', '/policy', { text });
  assert.equal(status, 200, JSON.stringify(body));
}

/** A store that was restored after entries were lost; what was there before, and the newest checkpoint. */
async function restored(t: TestContext, store: Restorable) {
  const made = await initProcessStore(store.env);
  const record = await serving(t, store.env, async (running) => {
    await publish(running, made, 1_000_000);
    for (let n = 0; n < 300; n += 1) {
      const name = `team-${n}`;
      const body = { name, workspaceId: made.workspaceId };
      const answer = await requestApi(running.url, made.managementKey, 'POST', '/teams', body);
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
    }
    return call(running, made);
  });
  await store.backUp();
  await serving(t, store.env, async (running) => {
    await publish(running, made, 2_000_000);
    await call(running, made);
  });
  const held = await runOnce(t, store.env, made, ['lost']);
  await store.restore();
  return { made, record, held };
}

async function ledger(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return runCli(['ledger', ...words], env);
}

async function continueStore(t: TestContext, store: Restorable): Promise<string> {
  const archive = join(folderOf(t), 'archive');
  const ran = await ledger(['continue', '--archive', archive, '--json'], plainEnv(store.env));
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.err, /end again what was ended since the backup/);
  const again = await ledger(['continue', '--archive', archive], plainEnv(store.env));
  assert.deepEqual(
    [again.code, /no log of this store was rolled back/.test(again.err)],
    [1, true],
    again.err,
  );
  return archive;
}

async function claimContinuation(t: TestContext, store: Restorable): Promise<void> {
  const { made, record, held } = await restored(t, store);
  const [formerOrigin = ''] = held.split('\n');
  const archive = await continueStore(t, store);
  const archived = join(archive, made.organizationId);
  assert.ok(readdirSync(archive).length >= 1);
  const former = await ledger(['verify', archived]);
  assert.equal(former.code, 0, former.out);

  const exported = join(folderOf(t), 'export');
  await serving(t, store.env, async (running) => {
    const env = { COUNTERSIGN_URL: running.url, COUNTERSIGN_KEY: made.managementKey };
    const later = await call(running, made);
    await runWith(running, made, 'after');
    const { body } = await requestApi(running.url, made.managementKey, 'GET', '/organization', undefined);
    assert.ok(textAt(body, 'verifierKey').startsWith(`${formerOrigin}/2+`));
    // Records of both logs are there, and each has its receipt, under its own log.
    const listed = await requestApi(
      running.url,
      made.managementKey,
      'GET',
      `/records?type=model_call&actor=${made.ownerId}`,
      undefined,
    );
    assert.deepEqual([at(listed.body, 'items.0.id'), at(listed.body, 'items.1.id')], [later, record]);
    for (const [id, origin] of [
      [record, formerOrigin],
      [later, `${formerOrigin}/2`],
    ] as const) {
      const answer = await requestApi(running.url, made.managementKey, 'GET', `/records/${id}`, undefined);
      assert.equal(textAt(answer.body, 'entries.0.text').includes(`"log":"${origin}"`), true);
      const folder = folderOf(t);
      const receipt = join(folder, 'one.tlog-proof');
      const proved = await ledger(['proof', id, '--out', receipt], env);
      assert.equal(proved.code, 0, proved.err);
      const verified = await ledger(['verify', receipt]);
      assert.equal(verified.code, 0, verified.out);
      assert.ok(verified.out.includes(`of \`${origin}\``), verified.out);
    }
    const written = await ledger(['export', exported], env);
    assert.equal(written.code, 0, written.err);
  });

  await claimProofs(t, { exported, archived, held });
  await assertReplays(storageOf(plainEnv(store.env)), []);
}

/** The export of the new log, beside the archive of the former and a checkpoint of that. */
async function claimProofs(
  t: TestContext,
  {
    exported,
    archived,
    held,
  }: { readonly exported: string; readonly archived: string; readonly held: string },
): Promise<void> {
  const [formerOrigin = '', heldSize = ''] = held.split('\n');
  const verified = await ledger(['verify', exported]);
  assert.equal(verified.code, 0, verified.out);
  assert.ok(
    verified.out.includes(
      `continues another log: \`${formerOrigin}\`, whose last checkpoint held has ${heldSize} entries`,
    ),
    verified.out,
  );
  await claimSuccession({ exported, archived, copy: join(folderOf(t), 'copy') });
  const kept = join(folderOf(t), 'checkpoint.kept');
  writeFileSync(kept, held);
  const since = await ledger(['verify', exported, '--since', kept]);
  assert.equal(since.code, 1);
  assert.match(since.out, /the held checkpoint is of `[^`]+`, a former log .* hold it against the archive/);
  const replayed = await ledger(['replay', exported, '--former', archived]);
  assert.equal(replayed.code, 0, replayed.out);
  assert.match(replayed.out, /directory and policy at the beginning are those at the end of the archive/);
  assert.match(replayed.out, /entries were lost/);
  const first: unknown = JSON.parse(
    readFileSync(join(exported, 'entries.jsonl'), 'utf8').split('\n')[0] ?? '',
  );
  assert.equal(at(first, 'opened.previous'), held, 'it is cited verbatim');
  await claimBill(t, exported, archived);
}

/** One bill of the day of the restore, whose calls lie in both logs. */
async function claimBill(t: TestContext, ...folders: readonly string[]): Promise<void> {
  const bill = join(folderOf(t), 'bill.csv');
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(bill, `day,model,requests,input_tokens,output_tokens\n${day},sandbox,2,0,0\n`);
  const calls = async (...of: readonly string[]): Promise<number> => {
    const from = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    const ran = await ledger(['reconcile', ...of, '--bill', bill, '--from', from, '--to', day, '--json']);
    const answer: unknown = JSON.parse(ran.out);
    const rows = at(answer, 'all');
    assert.ok(Array.isArray(rows));
    return rows.reduce((all: number, row) => all + Number(at(row, 'recorded.requests')), 0);
  };
  const [exported = '', archived = ''] = folders;
  assert.deepEqual([await calls(archived), await calls(exported)], [1, 1]);
  assert.equal(await calls(exported, archived), 2, 'what both logs have is one record of the day');
}

async function runWith({ url }: ServerProcess, made: Made, name: string): Promise<void> {
  const answer = await requestApi(url, made.managementKey, 'POST', '/workspaces', { name });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
}

test(
  'a restored embedded store goes on under a new origin, and both logs can be proved',
  {
    timeout: 240_000,
  },
  (t) => claimContinuation(t, embedded(t)),
);

test(
  'a restored PostgreSQL store goes on under a new origin, and both logs can be proved',
  {
    skip,
    timeout: 240_000,
  },
  async (t) => claimContinuation(t, await onPostgres(t, cluster)),
);

/** The highest version at which `ledger continue --json` says that a log goes on. */
function newestVersion(out: string): number {
  const continued: unknown = JSON.parse(out);
  assert.ok(Array.isArray(continued));
  return Math.max(...continued.map((log) => Number(at(log, 'version'))));
}

test('every log goes on where nothing shows what was lost, once, and only while no server runs', {
  timeout: 120_000,
}, async (t) => {
  const store = embedded(t);
  const env = plainEnv(store.env);
  const made = await initProcessStore(store.env);
  const archive = join(folderOf(t), 'archive');
  await serving(t, store.env, async () => {
    const beside = await ledger(['continue', '--archive', archive, '--all'], env);
    assert.deepEqual([beside.code, /another countersign process is using/.test(beside.err)], [1, true]);
  });
  const kept = join(folderOf(t), 'checkpoint.kept');
  const last = await runOnce(t, store.env, made, ['first']);
  writeFileSync(kept, last);
  await store.backUp();
  const nowhere = await ledger(['continue', '--archive', kept, '--all'], env);
  assert.equal(nowhere.code, 1, 'a folder that cannot be written');
  const checkpoints = { COUNTERSIGN_CHECKPOINT_FILE: join(kept, 'below-a-file') };
  const untold = await ledger(['continue', '--archive', archive, '--all'], { ...env, ...checkpoints });
  assert.deepEqual([untold.code, /checkpoints cannot be written/.test(untold.err)], [1, true]);
  assert.equal(
    await runOnce(t, store.env, made, []).then((note) => note.split('\n')[0]),
    last.split('\n')[0],
  );
  const refused = await ledger(['continue', '--archive', archive, '--held', kept], env);
  assert.match(refused.err, /no log of this store was rolled back/);
  const ran = await ledger(['continue', '--archive', archive, '--all', '--json'], env);
  assert.equal(ran.code, 0, ran.err);
  const continued: unknown = JSON.parse(ran.out);
  assert.ok(Array.isArray(continued) && continued.length === 2, 'the installation has a log, too');
  const again = await ledger(['continue', '--archive', archive, '--all'], env);
  assert.deepEqual(
    [again.code, /continued already, and has recorded nothing since/.test(again.err)],
    [1, true],
  );
  // What was kept of the former log stops no start of this one.
  const held = { ...store.env, COUNTERSIGN_HELD_CHECKPOINT: kept };
  const note = await runOnce(t, held, made, ['second']);
  assert.equal(note.split('\n')[0], `${last.split('\n')[0]}/2`);
  await assertReplays(storageOf(env));
  const third = await ledger(['continue', '--archive', archive, '--all', '--json'], env);
  assert.equal(third.code, 0, third.err);
  const second = await ledger([
    'verify',
    join(archive, `${made.organizationId}-2`),
    '--former-vkey',
    `@${join(archive, made.organizationId, 'vkey')}`,
  ]);
  assert.equal(second.code, 0, `an archive of a log that continues another has its note, too: ${second.out}`);
  assert.match(await runOnce(t, held, made, ['third']), /^[^\n]+\/3\n/);
  await assertReplays(storageOf(env));
  // A backup from before a log was closed lacks nothing of it, and all that came behind.
  await store.restore();
  const starting = runServer({ env: store.env });
  const { code } = await within(30_000, 'the refusal', starting.ended).finally(starting.kill);
  assert.equal(code, 1);
  assert.match(
    starting.lines.join('\n'),
    /was closed, and goes on as `[^`]+\/2`, which this store does not have/,
  );
  const fourth = await ledger(['continue', '--archive', join(folderOf(t), 'again'), '--json'], env);
  assert.equal(fourth.code, 0, fourth.err);
  assert.ok(newestVersion(fourth.out) > newestVersion(third.out) + 1_000, 'nor a version');
  assert.match(await runOnce(t, store.env, made, ['fourth']), /^[^\n]+\/4\n/, 'no number is given twice');
  await assertReplays(storageOf(env));
});

test('a checkpoint that was kept is taken from a pipe, and from standard input', async (t) => {
  const store = embedded(t);
  const made = await initProcessStore(store.env);
  const kept = join(folderOf(t), 'checkpoint.kept');
  writeFileSync(kept, await runOnce(t, store.env, made, ['first']));
  const main = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
  for (const held of ['/dev/stdin', '-']) {
    const line = `cat "$0" | "$1" "$2" ledger continue --archive "$3" --held ${held}`;
    const words = ['-c', line, kept, process.execPath, main, join(folderOf(t), 'archive')];
    const ran = spawnSync('sh', words, { env: { ...process.env, ...plainEnv(store.env) }, encoding: 'utf8' });
    assert.match(ran.stderr, /no log of this store was rolled back/, held);
  }
});
