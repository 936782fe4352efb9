// Tests that every file that an offline verb takes ends alike where it cannot be used: with 2, and what to do.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeExport } from '@countersign/sdk/ledger/write-export';
import { signSample } from '@countersign/sdk/replay/sample-export';
import { logText, makeLog } from '@countersign/sdk/replay/sample-log';
import { allCommands } from './commands.ts';
import { runCli } from './run-cli.ts';

const room = mkdtempSync(join(tmpdir(), 'inputs-'));
const [audit, bill, receipt] = ['audit', 'bill.csv', 'call.tlog-proof'].map((name) => join(room, name));
const sample = signSample(makeLog().entries.map(logText));

before(async () => {
  await writeExport(audit ?? '', sample);
  writeFileSync(bill ?? '', 'day,model,requests,input_tokens,output_tokens\n2026-03-01,m,0,0,0\n');
  writeFileSync(receipt ?? '', sample.receipt(3));
  writeFileSync(join(room, 'call.entry.json'), sample.entries[3] ?? '');
});
after(() => rmSync(room, { recursive: true, force: true }));

/** The words of a verb around the file that is tried. */
type Words = (file: string) => readonly (string | undefined)[];

const against: readonly (readonly [flag: string, given: (file: string) => string])[] = [
  ['--vkey', (file) => `@${file}`],
  ['--since', (file) => file],
  ['--witness', (file) => `@${file}`],
  ['--policy', (file) => file],
];

const verbs: readonly (readonly [verb: string, words: Words])[] = [
  ['verify', (file) => ['verify', file]],
  ['replay', (file) => ['replay', file]],
  ['copy', (file) => ['copy', file, '--format', 'csv']],
  ['reconcile', (file) => ['reconcile', file, '--bill', bill]],
];

const files: readonly (readonly [argument: string, words: Words])[] = [
  ...verbs.flatMap(([verb, words]) =>
    against.map(([flag, given]): [string, Words] => [
      `${verb} ${flag}`,
      (file) => [...words(audit ?? ''), flag, given(file)],
    ]),
  ),
  ['verify --record', (file) => ['verify', receipt, '--vkey', sample.vkey, '--record', file]],
  ['verify DIR|FILE', (file) => ['verify', file, '--vkey', sample.vkey]],
  ['verify --former-vkey', (file) => ['verify', audit, '--former-vkey', `@${file}`]],
  ['replay --former-vkey', (file) => ['replay', audit, '--former', audit, '--former-vkey', `@${file}`]],
  ['reconcile --bill', (file) => ['reconcile', audit, '--bill', file]],
  ['continue --held', (file) => ['continue', '--archive', join(room, 'archive'), '--held', file]],
  ['export --key-file', (file) => ['export', join(room, 'new'), '--key-file', file]],
];

const folders: readonly (readonly [argument: string, words: Words])[] = [
  ['verify DIR|FILE', (file) => ['verify', file]],
  ...verbs.slice(1).map(([verb, words]): [string, Words] => [`${verb} DIR`, words]),
  ['replay --former', (file) => ['replay', audit, '--former', file]],
];

/** Where something is written to, and what the server's own settings check. */
const others = ['export DIR', 'continue --archive', 'continue --config', 'continue --data-dir'];

async function refused(argument: string, what: string, words: Words, path: string): Promise<void> {
  const given = words(path).map((word) => word ?? '');
  const ran = await runCli(['ledger', ...given], {});
  const where = `${argument}, ${what}: ${ran.err}`;
  assert.deepEqual([ran.code, ran.out], [2, ''], where);
  const [said = ''] = ran.err.split('\n');
  assert.ok(said.includes(`\`${path}\``), where);
  assert.match(said, /: (?:name|give|check|a \S|`countersign)|; check the path/, where);
}

const unusable: readonly (readonly [what: string, make: (path: string) => void])[] = [
  ['missing', () => {}],
  ['a folder', (path) => mkdirSync(path)],
  ['unreadable', (path) => symlinkSync(path, path)],
  ['not UTF-8', (path) => writeFileSync(path, Buffer.from([0x6c, 0x6f, 0x67, 0xff, 0xfe, 0x0a]))],
  ['empty', (path) => writeFileSync(path, '')],
];

for (const [what, make] of unusable) {
  test(`a file that is ${what} ends with 2 and what to do, whichever verb takes it as what`, async () => {
    const path = join(room, `${what}.tlog-proof`);
    make(path);
    for (const [argument, words] of files) {
      // The record is bytes: any that are not the log's are a verdict.
      if (argument === 'verify --record' && what === 'not UTF-8') continue;
      await refused(argument, what, words, path);
    }
  });
}

test('a folder that is missing, empty, unreadable or a file ends with 2 and what to do', async () => {
  const [empty, loop] = [join(room, 'empty'), join(room, 'loop')];
  mkdirSync(empty);
  symlinkSync(loop, loop);
  for (const path of [join(room, 'nowhere'), empty, loop, bill ?? ''])
    for (const [argument, words] of folders) {
      if (argument === 'verify DIR|FILE' && path === bill) continue;
      await refused(argument, path, words, path);
    }
});

test('an export into a file is refused before the server is asked', async () => {
  const ran = await runCli(['ledger', 'export', bill ?? '', '--key', 'csk_sample'], {});
  assert.deepEqual([ran.code, ran.out], [2, '']);
  assert.match(ran.err, /^`[^`]+bill\.csv` is a file: name a folder, absent, empty or an earlier export\n/);
});

test('a record that is not UTF-8 was changed, and that is a verdict', async () => {
  const record = join(room, 'changed.entry.json');
  writeFileSync(record, Buffer.from([0xff, 0xfe]));
  const ran = await runCli(['ledger', 'verify', receipt ?? '', '--vkey', sample.vkey, '--record', record]);
  assert.equal(ran.code, 1);
  assert.match(ran.out, /^NOT VERIFIED: the record is not the one at this place/);
});

test('a file with something else in it ends with 2 too: no key, no checkpoint, no policy, no bill', async () => {
  const path = join(room, 'other.txt');
  writeFileSync(path, 'something else\n');
  for (const [argument, words] of files) {
    if (/--record|DIR|--held|--key-file/.test(argument)) continue;
    const given = words(path).map((word) => word ?? '');
    const ran = await runCli(['ledger', ...given], {});
    assert.deepEqual([ran.code, ran.out], [2, ''], `${argument}: ${ran.err}`);
  }
});

test('the tables above have every argument of an offline verb that takes a file or a folder', () => {
  const offline = /^ledger (verify|replay|copy|reconcile|continue|export)$/;
  const taken = allCommands().flatMap(({ name, positionals, flags }) => {
    const [, verb] = offline.exec(name) ?? [];
    if (verb === undefined) return [];
    const places = positionals.map((each) => each.name);
    const named = flags.filter(({ value = '' }) => /FILE|DIR/.test(value)).map((flag) => `--${flag.name}`);
    return [...places, ...named].map((argument) => `${verb} ${argument}`);
  });
  const tried = new Set([...files, ...folders].map(([argument]) => argument).concat(others));
  assert.deepEqual([...tried].toSorted(), taken.toSorted());
});
