// Tries the verifier with folders that are made to lead it astray: links, pipes, strange names, too much of each.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeBundle } from '@countersign/core/ledger/tile';
import { replayDirectory } from '../replay/replay-directory.ts';
import { signSample } from '../replay/sample-export.ts';
import { logText, makeLog } from '../replay/sample-log.ts';
import { readPlainFile, UnexpectedFileError } from './read-export.ts';
import { verifyDirectory } from './verify-directory.ts';
import { writeExport } from './write-export.ts';

const texts = makeLog().entries.map(logText);
const signed = signSample(texts);
const bundle = `tile/entries/000.p/${texts.length}`;

async function exported(t: TestContext): Promise<string> {
  const room = mkdtempSync(join(tmpdir(), 'astray-'));
  t.after(() => rmSync(room, { recursive: true, force: true }));
  const directory = join(room, 'export');
  await writeExport(directory, signed);
  return directory;
}

async function found(directory: string): Promise<unknown> {
  const result = await verifyDirectory(directory);
  return result.ok ? 'verified' : result.finding;
}

function makePipe(file: string): void {
  rmSync(file, { force: true });
  assert.equal(spawnSync('mkfifo', [file]).status, 0);
}

const unexpected = (file: string) => ({ kind: 'file_unexpected', file });

test('links to the folder itself are not walked, and beside the tiles they are nothing', async (t) => {
  const directory = await exported(t);
  symlinkSync('.', join(directory, 'a'));
  symlinkSync('.', join(directory, 'b'));
  assert.equal(await found(directory), 'verified');
  symlinkSync('..', join(directory, 'tile', '5'));
  assert.deepEqual(await found(directory), unexpected('tile/5'));
});

test('a link out of the folder is named and not followed', async (t) => {
  const directory = await exported(t);
  symlinkSync('/proc', join(directory, 'tile', '7'));
  assert.deepEqual(await found(directory), unexpected('tile/7'));
});

test('tiles that lie behind a link are none', async (t) => {
  const directory = await exported(t);
  const away = join(directory, '..', 'away');
  cpSync(join(directory, 'tile', 'entries'), away, { recursive: true });
  rmSync(join(directory, 'tile', 'entries'), { recursive: true });
  symlinkSync(away, join(directory, 'tile', 'entries'));
  assert.deepEqual(await found(directory), unexpected('tile/entries'));
});

for (const file of ['checkpoint', 'vkey', bundle, 'entries.jsonl', 'leaf-hashes.txt']) {
  test(`a pipe or a link in the place of \`${file}\` holds nobody up`, async (t) => {
    const directory = await exported(t);
    makePipe(join(directory, file));
    assert.deepEqual(await found(directory), unexpected(file));
    const replayed = await replayDirectory(directory);
    assert.deepEqual(replayed, { kind: 'not_verified', finding: unexpected(file) });
    rmSync(join(directory, file));
    symlinkSync('/dev/zero', join(directory, file));
    assert.deepEqual(await found(directory), unexpected(file));
  });
}

test('a pipe that has the name of a further tile is named', async (t) => {
  const directory = await exported(t);
  makePipe(join(directory, 'tile', '0', '001'));
  assert.deepEqual(await found(directory), unexpected('tile/0/001'));
});

test('a directory of another name is named and not gone into, however deep it is', async (t) => {
  const directory = await exported(t);
  mkdirSync(join(directory, 'tile', ...Array.from({ length: 900 }, () => 'a')), { recursive: true });
  assert.deepEqual(await found(directory), unexpected('tile/a'));
  rmSync(join(directory, 'tile', 'a'), { recursive: true });
  mkdirSync(join(directory, 'tile', '0', ...Array.from({ length: 300 }, () => 'x000')), { recursive: true });
  assert.match(JSON.stringify(await found(directory)), /file_unexpected.*x000/);
});

test('an export is not written over a folder whose checkpoint is a pipe or a link', async (t) => {
  const directory = await exported(t);
  makePipe(join(directory, 'checkpoint'));
  await assert.rejects(writeExport(directory, signed), { code: 'conflict' });
});

test('a receipt or a record that is a pipe holds nobody up', async (t) => {
  const record = join(await exported(t), 'r.entry.json');
  makePipe(record);
  assert.throws(() => readPlainFile(record), UnexpectedFileError);
  rmSync(record);
  assert.equal(readPlainFile(record), undefined);
  writeFileSync(record, texts[3] ?? '');
  assert.deepEqual(readPlainFile(record), Buffer.from(texts[3] ?? ''));
});

test('a bundle of millions of empty entries costs no more than one that is too long', async (t) => {
  const directory = await exported(t);
  const file = join(directory, bundle);
  const whole = readFileSync(file);
  assert.deepEqual(whole, Buffer.from(encodeBundle(signed.entries)));
  writeFileSync(file, Buffer.concat([whole, Buffer.alloc(16_000_000)]));
  const before = process.memoryUsage().heapUsed;
  const kind = { kind: 'bundle_length', file: bundle, index: texts.length };
  assert.deepEqual(await found(directory), kind);
  assert.ok(process.memoryUsage().heapUsed - before < 100_000_000);
});
