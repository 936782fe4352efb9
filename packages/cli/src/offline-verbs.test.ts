// Tries what the verbs that read or write an export say where it cannot be: no folder, no key of a witness, other entries.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import { signSample } from '@countersign/sdk/replay/sample-export';
import { logText, makeLog } from '@countersign/sdk/replay/sample-log';
import { serveContract } from './contract-server.ts';
import { runCli } from './run-cli.ts';

const sample = signSample(makeLog().entries.map(logText));
const witnessFile = fileURLToPath(new URL('../../../tests/vectors/log-1000/witness.vkey', import.meta.url));

function roomOf(t: TestContext): string {
  const room = mkdtempSync(join(tmpdir(), 'offline-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  return room;
}

test('a folder that is not there is said to be so by every verb that reads one', async (t) => {
  const room = roomOf(t);
  const [directory, bill] = [join(room, 'audit'), join(room, 'bill.csv')];
  await writeExport(directory, sample);
  writeFileSync(bill, 'day,model,requests,input_tokens,output_tokens\n');
  const nowhere = join(room, 'nowhere');
  for (const [path, said] of [
    [nowhere, /^there is no `[^`]+nowhere`: name a folder that `ledger export` wrote/],
    [bill, /^`[^`]+bill\.csv` is a file: name a folder/],
  ] as const) {
    for (const words of [
      ['replay', path],
      ['replay', directory, '--former', path],
      ['copy', path, '--format', 'csv'],
      ['reconcile', path, '--bill', bill],
    ]) {
      const ran = await runCli(['ledger', ...words]);
      assert.deepEqual([ran.code, ran.out], [2, ''], words.join(' '));
      assert.match(ran.err, said, words.join(' '));
    }
  }
  assert.match((await runCli(['ledger', 'verify', nowhere])).err, /there is no `[^`]+nowhere`/);
  const part = await runCli(['ledger', 'verify', room]);
  assert.match(part.out, /^NOT VERIFIED: `checkpoint` is missing: this is no export, or a part of one/);
});

test('a witness is named by its key or the file of it, and by no other key', async (t) => {
  const directory = join(roomOf(t), 'audit');
  await writeExport(directory, sample);
  const verify = (key: string) => runCli(['ledger', 'verify', directory, '--witness', key]);
  const missed = await verify(`@${witnessFile}`);
  assert.deepEqual([missed.code, missed.err], [1, '']);
  assert.match(missed.out, /^NOT VERIFIED: witness `witness\.example[^`]*` has not cosigned/);
  for (const [key, said] of [
    ['abc', /`--witness` takes a verifier key of a witness, and `abc` is none, or @FILE/],
    [sample.vkey, /`--witness` takes a verifier key of a witness/],
    [witnessFile, /to read it from that file, say `--witness @/],
    [`@${join(directory, 'vkey')}`, /holds no verifier key of a witness/],
  ] as const) {
    const ran = await verify(key);
    assert.deepEqual([ran.code, ran.out], [2, ''], key);
    assert.match(ran.err, said);
  }
});

test('a log that is not what was signed is not exported, and that is no wrong usage', async (t) => {
  const directory = join(roomOf(t), 'audit');
  const changed = sample.entries.with(3, Buffer.from('{}'));
  const server = await serveContract({
    'ledger.checkpoint': () => ({ checkpoint: sample.checkpoint, verifierKey: sample.vkey }),
    'ledger.tile': () => encodeBundle(changed),
  });
  t.after(server.close);
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_MANAGEMENT_KEY: 'csk_sample' };
  const ran = await runCli(['ledger', 'export', directory], env);
  assert.deepEqual([ran.code, ran.out, existsSync(directory)], [1, '', false]);
  assert.match(ran.err, /^failed: nothing was written: .* another log than it has signed/);
  assert.doesNotMatch(ran.err, /usage:/);
});

test('a verb whose answer has a form of its own offers no JSON', async () => {
  assert.doesNotMatch((await runCli(['ledger', 'copy', '--help'])).out, /--json/);
  assert.match((await runCli(['ledger', 'verify', '--help'])).out, /--json {2,}answer in JSON/);
});

test('what an export would replace is named: a file that no export writes, another log, copies of before', async (t) => {
  const directory = join(roomOf(t), 'audit');
  await writeExport(directory, { ...sample, copies: ['csv', 'syslog'] });
  const verified = await runCli(['ledger', 'verify', directory]);
  assert.match(
    verified.out,
    /\ncompared with the log, line by line: `entries\.jsonl`, `leaf-hashes\.txt`, `entries\.syslog`, `entries\.csv`\n/,
  );
  const server = await serveContract({
    'ledger.checkpoint': () => ({ checkpoint: sample.checkpoint, verifierKey: sample.vkey }),
    'ledger.tile': () => encodeBundle(sample.entries),
  });
  t.after(server.close);
  const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_MANAGEMENT_KEY: 'csk_sample' };
  const again = await runCli(['ledger', 'export', directory, '--copy', 'csv'], env);
  assert.equal(again.code, 0, again.err);
  assert.match(
    again.out,
    /\n`entries\.syslog` was of the former export: give --copy syslog to write it again\n/,
  );
  assert.doesNotMatch(again.out, /entries\.csv/);
  writeFileSync(join(directory, 'notes.txt'), 'mine');
  const noted = await runCli(['ledger', 'export', directory], env);
  assert.match(noted.err, /^failed: `[^`]+` holds `notes\.txt`, which no export writes .* move it away/);
  const other = join(roomOf(t), 'other');
  await writeExport(other, signSample(makeLog().entries.map(logText), 'other.example/org_1'));
  const foreign = await runCli(['ledger', 'export', other], env);
  assert.match(
    foreign.err,
    /^failed: `[^`]+` is an export of `[^`]+`, and this log is `[^`]+`: choose another/,
  );
});
