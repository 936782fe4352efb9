// Tests `ledger reconcile` with several folders: what each is held against, what is refused, and when it is strict.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isObject } from '@countersign/core/json';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import { sampleLogs } from '@countersign/sdk/reconcile/sample-logs';
import { signSample } from '@countersign/sdk/replay/sample-export';
import { type Ran, runCli } from './run-cli.ts';

const room = mkdtempSync(join(tmpdir(), 'folders-'));
const place = (name: string): string => join(room, name);
const [archive, later, other, bill] = ['archive', 'later', 'other', 'bill.csv'].map(place);
const former = signSample(sampleLogs.texts);
const newer = signSample(sampleLogs.continuing(former.checkpoint), sampleLogs.next);
const foreign = signSample(sampleLogs.texts, 'gw.example/org_other');

function keep(name: string, text: string): string {
  writeFileSync(place(name), text);
  return place(name);
}

/** A bill of so many calls on each of the days. */
function billOf(name: string, ...days: readonly (readonly [day: string, calls: number])[]): string {
  const lines = days.map(([day, calls]) => `${day},small-1,${calls},${12 * calls},${34 * calls}\n`);
  return keep(name, `day,model,requests,input_tokens,output_tokens\n${lines.join('')}`);
}

before(async () => {
  await writeExport(archive ?? '', former);
  await writeExport(later ?? '', newer);
  await writeExport(other ?? '', foreign);
  billOf('bill.csv', ['2025-11-22', 4]);
});
after(() => rmSync(room, { recursive: true, force: true }));

function reconcile(...words: readonly (string | undefined)[]): Promise<Ran> {
  const given = words.map((word) => word ?? '');
  const days = ['--from', '2025-11-21', '--to', '2025-11-22', '--provider', 'inside'];
  return runCli(['ledger', 'reconcile', ...given, ...days]);
}

test('each folder is held to the key and the checkpoint of its own log, in whichever order they are given', async () => {
  const since = [keep('former.kept', former.checkpoint), keep('newer.kept', newer.checkpoint)];
  const ran = await reconcile(
    ...[
      later,
      archive,
      '--bill',
      bill,
      '--vkey',
      former.vkey,
      '--vkey',
      `@${keep('newer.vkey', newer.vkey)}`,
    ],
    ...since.flatMap((file) => ['--since', file]),
  );
  assert.equal(ran.code, 0, ran.out + ran.err);
  assert.match(ran.out, /^no difference: calls to `inside`/);
  assert.match(ran.out, /^`[^`]+archive`: verified: 19 entries of `gateway\.example\/org_\w+`/m);
  assert.match(ran.out, /^`[^`]+later`: verified: 19 entries of `gateway\.example\/org_\w+\/2`/m);
  assert.equal(ran.out.match(/the first 19 entries are those of the held checkpoint/g)?.length, 2);
  assert.doesNotMatch(ran.out, /the verifier key came with the export/);
});

test('one folder is held as before, whatever the key is of', async () => {
  const ran = await reconcile(archive, '--bill', bill, '--vkey', newer.vkey);
  assert.equal(ran.code, 1);
  assert.match(ran.out, /^NOT VERIFIED: the checkpoint is of another log than the verifier key names/);
});

test('a folder that does not verify is named, and nothing is compared', async () => {
  const edited = place('edited');
  await writeExport(edited, newer);
  writeFileSync(join(edited, 'entries.jsonl'), 'edited\n');
  const ran = await reconcile(archive, edited, '--bill', bill);
  assert.equal(ran.code, 1);
  assert.match(ran.out, /^NOT VERIFIED: `[^`]+edited`: `entries\.jsonl` differs from the log at line 1\n$/);
});

test('what does not fit together is refused with what to do, and with 2', async () => {
  const kept = keep('other.kept', foreign.checkpoint);
  const refusals: readonly (readonly [words: readonly (string | undefined)[], said: RegExp])[] = [
    [
      [archive, other],
      /^`[^`]+archive` is of `[^`]+` and `[^`]+other` is of `gw\.example\/org_other`: compare the logs of one organization at a time\n/,
    ],
    [[archive, `${archive}/`], /^`[^`]+archive\/` is named twice: name each folder once\n/],
    [
      [archive, later, '--vkey', former.vkey],
      /^`[^`]+later` is of `[^`]+\/2`, and no `--vkey` is of that log: give its verifier key too\n/,
    ],
    [
      [archive, '--vkey', former.vkey, '--vkey', newer.vkey],
      /^`--vkey` is given for `[^`]+\/2`, and no folder is of that log: name its folder, or leave it out\n/,
    ],
    [
      [archive, later, '--since', kept],
      /^`--since` is given for `gw\.example\/org_other`, and no folder is of that log/,
    ],
    [
      [archive, later, '--vkey', former.vkey, '--vkey', former.vkey],
      /^`--vkey` is given twice for `[^`]+`: give one\n/,
    ],
  ];
  for (const [words, said] of refusals) {
    const ran = await reconcile(...words, '--bill', bill);
    assert.deepEqual([ran.code, ran.out], [2, ''], ran.err);
    assert.match(ran.err, said);
  }
});

test('rows that are uncertain pass unless it is strict, in every form of the answer', async () => {
  // A minute from midnight: the provider counts the calls of one of the logs on the day before.
  const uncertain = billOf('uncertain.csv', ['2025-11-21', 2], ['2025-11-22', 2]);
  for (const [file, code, ok] of [
    [uncertain, 1, false],
    [bill, 0, true],
  ] as const) {
    const words = [archive, later, '--bill', file];
    const plain = await reconcile(...words);
    assert.equal(plain.code, 0, plain.out);
    const strict = await reconcile(...words, '--strict');
    assert.equal(strict.code, code, strict.out);
    assert.equal(/\nnot agreed \(--strict\): 2 rows are uncertain\n/.test(strict.out), !ok, strict.out);
    const json = await reconcile(...words, '--strict', '--json');
    const answer: unknown = JSON.parse(json.out);
    assert.ok(isObject(answer) && Array.isArray(answer.logs));
    assert.deepEqual([json.code, answer.ok, answer.logs.length], [code, ok, 2]);
    assert.equal((await reconcile(...words, '--strict', '--csv')).code, code);
  }
});

test('the help says that folders may be several, and only there', async () => {
  const help = await runCli(['ledger', 'reconcile', '--help']);
  assert.match(help.out, /^usage: countersign ledger reconcile DIR\.\.\. --bill FILE \[flags\]$/m);
  assert.match(help.out, /^ {2}DIR .*\(may be repeated\)$/m);
  assert.match(help.out, /^ {2}--vkey KEY\|@FILE .*\(may be repeated\)$/m);
  const verify = await runCli(['ledger', 'verify', archive ?? '', later ?? '']);
  assert.equal(verify.code, 2);
  assert.match(verify.err, /is one word too many/);
});
