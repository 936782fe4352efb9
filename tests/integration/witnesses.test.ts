// Claims about the log as a client of witnesses: what they cosign is kept, offered and verified, and who is late waits alone.

import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, type TestContext, test } from 'node:test';
import { runCli } from '@countersign/cli/run-cli';
import { parseSignedCheckpoint } from '@countersign/core/ledger/checkpoint';
import { verifyReceipt } from '@countersign/sdk/ledger/verify-receipt';
import { until } from '../support/gateway.ts';
import { startPostgres } from '../support/postgres.ts';
import { type Founded, foundStore, startWitnessed, type Witnessed, witnessOf } from '../support/witnessed.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());

const cosignedPath = '/ledger/checkpoint?cosigned=true';
const sizeOf = (note: string): number => parseSignedCheckpoint(note)?.checkpoint.size ?? -1;

/** Waits until the newest checkpoint of the organization's log is cosigned; its size. */
async function cosigned({ api, text }: Witnessed): Promise<number> {
  const isNewest = async () => {
    if ((await api('GET', cosignedPath)).status !== 200) return false;
    const newest = sizeOf(await text('/ledger/checkpoint', 'checkpoint'));
    return sizeOf(await text(cosignedPath, 'checkpoint')) === newest;
  };
  assert.ok(await until(isNewest, 20_000), 'nothing was cosigned');
  return sizeOf(await text(cosignedPath, 'checkpoint'));
}

async function verifiedByPolicy(t: TestContext, storage: Founded['storage'] = {}): Promise<void> {
  const store = await foundStore(t, storage);
  const [first, second] = [await witnessOf(t, store, 'w1'), await witnessOf(t, store, 'w2')];
  // The auditor's own file serves as the list of witnesses.
  const policy = `log ${store.vkey}\n${first.line}${second.line}group both all w1 w2\nquorum both\n`;
  const server = await startWitnessed(t, store, policy);
  const size = await cosigned(server);
  const { out: newest } = await runCli(['ledger', 'checkpoint', '--cosigned'], server.env);
  assert.equal(newest.split('\n').filter((line) => line.startsWith('— ')).length, 3);

  const records = await server.api('GET', '/records');
  assert.equal(records.status, 200);
  const opened = await server.text('/records?limit=1', 'items.0.id');
  const proof = await server.api('GET', `/records/${opened}/proof`);
  assert.ok(typeof proof.body === 'object' && proof.body !== null && 'proof' in proof.body);
  const { entry, proof: receipt } = Object(proof.body);
  const held = verifyReceipt(receipt, Buffer.from(entry, 'utf8'), { policy });
  assert.ok(held.ok, JSON.stringify(held));
  assert.deepEqual(held.cosignatures.map(({ witness }) => witness).toSorted(), ['w1', 'w2']);

  for (const witness of [first, second]) witness.instead((response) => void response.writeHead(503).end());
  await server.grow('later');
  const directory = join(store.room, 'export');
  const file = join(store.room, 'policy');
  writeFileSync(file, policy);
  assert.equal((await runCli(['ledger', 'export', directory], server.env)).code, 0);
  const verified = await runCli(['ledger', 'verify', directory, '--policy', file]);
  assert.equal(verified.code, 0, verified.out);
  assert.match(verified.out, new RegExp(`the first ${size} entries: witness \`w1\` saw them at 20`));
  assert.match(
    verified.out,
    /not protected against the operator: the 1 entries after the cosigned checkpoint/,
  );
  const unheld = await runCli(['ledger', 'verify', directory, '--vkey', store.vkey]);
  assert.match(unheld.out, /lies in the export and counts for nothing/);
  assert.match(unheld.out, /not protected against the operator: whoever has the signing key/);
  await server.stop();
}

const claim =
  'what a witness has cosigned is verified by the auditor’s policy alone: a receipt, and an export with its beginning';
test(`${claim} (SQLite)`, (t) => verifiedByPolicy(t));
test(`${claim} (PostgreSQL)`, { skip }, async (t) => {
  assert.ok(cluster !== undefined);
  await verifiedByPolicy(t, {
    DATABASE_URL: await cluster.createDatabase(),
    COUNTERSIGN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
  });
});

test('after a restart it goes on from the size that is stored, and a lost one is learnt from the witness', async (t) => {
  const store = await foundStore(t);
  const witness = await witnessOf(t, store, 'w1');
  const origin = store.vkey.split('+')[0];
  const own = () => witness.asked.filter((one) => one.origin === origin);
  const first = await startWitnessed(t, store, witness.line);
  const size = await cosigned(first);
  assert.deepEqual(own()[0], { origin, old: 0, status: 200 });
  await first.stop();
  const stored = witness.last(origin ?? '')?.size ?? 0;
  assert.ok(stored >= size);

  let count = own().length;
  const second = await startWitnessed(t, store, witness.line);
  await second.grow('after-restart');
  await cosigned(second);
  assert.deepEqual(own()[count], { origin, old: stored, status: 200 });
  await second.stop();

  const database = new DatabaseSync(join(store.directory, 'countersign.db'));
  database.exec('delete from cosignatures');
  database.close();
  count = own().length;
  const third = await startWitnessed(t, store, witness.line);
  await third.grow('after-loss');
  await cosigned(third);
  assert.deepEqual(
    own()
      .slice(count, count + 2)
      .map(({ status }) => status),
    [409, 200],
  );
  assert.equal(await third.metric('countersign_witness_behind_entries{witness="w1"}'), 0);
  await third.stop();
});

test('a witness that signs with another key is not believed, and one that hangs holds up nobody', async (t) => {
  const store = await foundStore(t);
  const false_ = await witnessOf(t, store, 'false', 'another');
  const silent = await witnessOf(t, store, 'silent');
  const good = await witnessOf(t, store, 'good');
  silent.instead(() => {});
  const list = `${false_.line}${silent.line}${good.line}`;
  const before = performance.now();
  const server = await startWitnessed(t, store, list);
  assert.ok(performance.now() - before < 9_000, 'the start waited');
  await server.grow('one-hangs');
  await cosigned(server);
  const note = await server.text(cosignedPath, 'checkpoint');
  assert.match(note, /\n— good /);
  assert.doesNotMatch(note, /\n— (?:false|silent) /);
  const disbelieved = () => server.lines.find((line) => line.includes('is not believed'));
  assert.ok(await until(() => disbelieved() !== undefined, 10_000));
  assert.match(disbelieved() ?? '', /its cosignature is false/);
  const unusable = 'countersign_witness_answers_total{witness="false",outcome="unusable"}';
  assert.ok(await until(async () => ((await server.metric(unusable)) ?? 0) > 0, 10_000));
  assert.equal((await fetch(`${server.env.COUNTERSIGN_URL}/readyz`)).status, 200);
  const report = await server.stop();
  assert.deepEqual(report.unfinished, []);
  assert.ok(report.ms < 9_000, `the stop took ${report.ms} ms`);
});

test('a store that was put back is told of loudly, and nothing is cosigned over what is gone', async (t) => {
  const store = await foundStore(t);
  const witness = await witnessOf(t, store, 'w1');
  const copy = join(store.room, 'copy');
  cpSync(store.directory, copy, { recursive: true });
  const origin = store.vkey.split('+')[0] ?? '';
  const first = await startWitnessed(t, store, witness.line);
  await first.grow('gone-later');
  const size = await cosigned(first);
  await first.stop();
  const seen = witness.last(origin);
  rmSync(store.directory, { recursive: true });
  cpSync(copy, store.directory, { recursive: true });

  const second = await startWitnessed(t, store, witness.line);
  const told = () => second.lines.find((line) => line.includes('cosigned more') && line.includes(origin));
  assert.ok(await until(() => told() !== undefined, 20_000), second.lines.join(''));
  assert.match(told() ?? '', /"level":"error".*"alert: a witness has cosigned more of this log/);
  assert.match(told() ?? '', new RegExp(`"witnessSize":${seen?.size}`));
  const conflicts = 'countersign_witness_conflicts{witness="w1"}';
  assert.ok(await until(async () => ((await second.metric(conflicts)) ?? 0) >= 1, 10_000));
  assert.equal((await second.api('GET', cosignedPath)).status, 404);
  assert.ok((seen?.size ?? 0) >= size);
  // Asked again in a minute at the earliest: what has grown over the gap by then is seen at the next start.
  for (const name of ['over-a', 'over-b', 'over-c', 'over-d']) await second.grow(name);
  await second.stop();

  const third = await startWitnessed(t, store, witness.line);
  const rewritten = () =>
    third.lines.find((line) => line.includes('cosigned another tree') && line.includes(origin));
  assert.ok(await until(() => rewritten() !== undefined, 20_000), third.lines.join(''));
  assert.equal((await third.api('GET', cosignedPath)).status, 404);
  assert.deepEqual(witness.last(origin), seen);
  await third.stop();
});
