// Tries `ledger copy`, and `ledger export` with copies, against a signed log: what is copied, and from where on.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CopyFormat, copyFormats, copyForms } from '@countersign/core/ledger/copies/formats';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import { signSample } from '@countersign/sdk/replay/sample-export';
import { anotherKey } from '@countersign/sdk/replay/sample-key';
import { logText, makeLog } from '@countersign/sdk/replay/sample-log';
import { allCommands } from './commands.ts';
import { serveContract } from './contract-server.ts';
import type { Machine } from './machine.ts';
import { run } from './run.ts';
import { runCli } from './run-cli.ts';

const texts = makeLog().entries.map(logText);
const sample = signSample(texts);

function roomOf(t: TestContext): string {
  const room = mkdtempSync(join(tmpdir(), 'copy-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  return room;
}

async function exported(t: TestContext, copies: readonly CopyFormat[] = []): Promise<string> {
  const directory = join(roomOf(t), 'audit');
  await writeExport(directory, { ...sample, copies });
  return directory;
}

test('an export over the API with copies verifies, and has what `ledger copy` makes of it', async (t) => {
  const directory = join(roomOf(t), 'audit');
  const server = await serveContract({
    'ledger.checkpoint': () => ({ checkpoint: sample.checkpoint, verifierKey: sample.vkey }),
    'ledger.tile': () => encodeBundle(sample.entries),
  });
  t.after(server.close);
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_MANAGEMENT_KEY: 'csk_sample' };
  const asked = copyFormats.flatMap((format) => ['--copy', format]);
  const written = await runCli(['ledger', 'export', directory, ...asked], env);
  assert.equal(written.code, 0, written.err);
  server.close();
  const verified = await runCli(['ledger', 'verify', directory, '--vkey', sample.vkey]);
  assert.equal(verified.code, 0, verified.out);
  for (const format of copyFormats) {
    const ran = await runCli(['ledger', 'copy', directory, '--format', format, '--vkey', sample.vkey]);
    assert.deepEqual([ran.code, ran.err], [0, '']);
    assert.equal(ran.out, readFileSync(join(directory, copyForms[format].file), 'utf8'), format);
  }
});

test('a copy begins after a checkpoint that was kept, or at a place', async (t) => {
  const directory = await exported(t);
  const kept = join(roomOf(t), 'kept');
  writeFileSync(kept, signSample(texts.slice(0, 7)).checkpoint);
  const copy = ['ledger', 'copy', directory, '--format', 'ocsf'];
  const whole = (await runCli(copy)).out.split('\n');
  assert.equal(whole.length, texts.length + 1);
  for (const words of [
    ['--since', kept],
    ['--from', '7'],
  ]) {
    const ran = await runCli([...copy, ...words]);
    assert.deepEqual([ran.code, ran.out], [0, whole.slice(7).join('\n')]);
  }
  assert.equal((await runCli([...copy, '--from', String(texts.length)])).out, '');
  const beyond = await runCli([...copy, '--from', String(texts.length + 1)]);
  assert.deepEqual([beyond.code, beyond.out], [1, '']);
});

test('nothing is copied of an export that does not verify, or of another log than the kept checkpoint', async (t) => {
  const directory = await exported(t);
  const copy = ['ledger', 'copy', directory, '--format', 'syslog'];
  const kept = join(roomOf(t), 'kept');
  writeFileSync(kept, signSample(texts.slice(0, 7), undefined, anotherKey()).checkpoint);
  const other = await runCli([...copy, '--since', kept]);
  assert.deepEqual([other.code, other.out], [1, '']);
  assert.match(other.err, /nothing was copied: NOT VERIFIED: the held checkpoint was not signed/);
  const file = join(directory, 'tile', 'entries', '000.p', String(texts.length));
  const bytes = readFileSync(file);
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const edited = await runCli(copy);
  assert.deepEqual([edited.code, edited.out], [1, '']);
  assert.match(edited.err, /nothing was copied: NOT VERIFIED: /);
});

test('a reader that takes its time is waited for: a batch of lines at most is ahead of it', async (t) => {
  const long = signSample(Array.from({ length: 1_000 }, (_, at) => texts[at % texts.length] ?? ''));
  const directory = join(roomOf(t), 'audit');
  await writeExport(directory, long);
  let ahead = 0;
  let most = 0;
  let lines = 0;
  const machine: Machine = {
    env: {},
    out: (text) => {
      const count = text.split('\n').length - 1;
      lines += count;
      ahead += count;
      most = Math.max(most, ahead);
    },
    drained: async () => {
      await sleep(5);
      ahead = 0;
    },
    err: () => {},
    readBytes: () => new Uint8Array(0),
    writeBytes: () => {},
  };
  assert.equal(await run(allCommands(), ['ledger', 'copy', directory, '--format', 'syslog'], machine), 0);
  assert.deepEqual([lines, most], [1_000, 256]);
});

test('without a verifier key of one’s own the copy says so, beside its lines', async (t) => {
  const ran = await runCli(['ledger', 'copy', await exported(t), '--format', 'csv']);
  assert.equal(ran.code, 0);
  assert.match(ran.err, /the verifier key came with the export/);
  assert.ok(ran.out.startsWith('index,leaf_hash,'));
});

test('a format, a place or a pair of flags that cannot be is a wrong usage', async (t) => {
  const directory = await exported(t);
  for (const words of [
    ['copy', directory],
    ['copy', directory, '--format', 'leef'],
    ['copy', directory, '--format', 'ocsf', '--from', '-1'],
    ['copy', directory, '--format', 'ocsf', '--from', '99999999999999999'],
    ['copy', directory, '--format', 'ocsf', '--from', '1', '--since', 'kept'],
    ['copy', directory, '--format', 'ocsf', '--json'],
    ['export', directory, '--copy', 'xml'],
  ]) {
    const ran = await runCli(['ledger', ...words]);
    assert.deepEqual([ran.code, ran.out], [2, ''], words.join(' '));
  }
  const { err } = await runCli(['ledger', 'copy', directory, '--format', 'leef']);
  assert.match(err, /`--format` takes ocsf, otlp, syslog, csv, not `leef`/);
});
