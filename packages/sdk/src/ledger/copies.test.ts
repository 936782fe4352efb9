// Tests the copies of an export for other tools: written with it, checked with it, and made from it afterwards.

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CopyFormat, copyFormats, copyForms } from '@countersign/core/ledger/copies/formats';
import { sampleEntries } from '@countersign/core/ledger/copies/sample-entries.support';
import { encodeEntry } from '@countersign/core/ledger/entry';
import { signSample } from '../replay/sample-export.ts';
import { copiedEntries } from './copied-entries.ts';
import { openExport } from './read-export.ts';
import { verifyDirectory } from './verify-directory.ts';
import { writeExport } from './write-export.ts';

/** More than a bundle, so that places go on from one to the next. */
const texts = Array.from({ length: 300 }, (_, at) =>
  encodeEntry(sampleEntries[at % sampleEntries.length] ?? assert.fail()),
);
const sample = signSample(texts);

function room(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'copies-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function exported(t: TestContext, copies: readonly CopyFormat[] = copyFormats): Promise<string> {
  const directory = join(room(t), 'audit');
  await writeExport(directory, { ...sample, copies });
  return directory;
}

async function findingOf(directory: string): Promise<unknown> {
  const result = await verifyDirectory(directory);
  return result.ok ? 'verified' : result.finding;
}

test('each copy that is asked for has a line for each entry, and the export verifies with all of them', async (t) => {
  const directory = await exported(t);
  for (const { file, head, line } of Object.values(copyForms)) {
    const lines = readFileSync(join(directory, file), 'utf8').split('\n');
    assert.equal(lines.length, 301 + (head === undefined ? 0 : 1), file);
    const [entry] = [...copiedEntries(openExport(directory), 300, 299)];
    assert.equal(lines.at(-2), line(entry ?? assert.fail()), file);
  }
  assert.equal(await findingOf(directory), 'verified');
});

test('an export has no copies that nobody asked for, and a format asked for twice is written once', async (t) => {
  const plain = join(room(t), 'audit');
  const { files } = await writeExport(plain, sample);
  assert.ok(Object.values(copyForms).every(({ file }) => !existsSync(join(plain, file))));
  const written = await writeExport(plain, { ...sample, copies: ['csv', 'csv'] });
  assert.equal(written.files, files + 1);
  assert.ok(existsSync(join(plain, 'entries.csv')));
});

test('a line of any copy that is changed, dropped, added or cut is found, with its number', async (t) => {
  const directory = await exported(t);
  for (const { file, head } of Object.values(copyForms)) {
    const path = join(directory, file);
    const whole = readFileSync(path, 'utf8');
    const lines = whole.split('\n');
    const first = head === undefined ? 0 : 1;
    const last = lines.length - 1;
    const changes: readonly (readonly [text: string, line: number])[] = [
      [lines.with(first + 270, `${lines[first + 270]} `).join('\n'), first + 271],
      [lines.toSpliced(first + 9, 1).join('\n'), first + 10],
      [lines.with(0, `${lines[0]}x`).join('\n'), 1],
      [`${whole}${lines[last - 1]}\n`, last + 1],
      [whole.slice(0, -1), last],
      ['', 1],
    ];
    for (const [text, line] of changes) {
      writeFileSync(path, text);
      assert.deepEqual(await findingOf(directory), { kind: 'copy_differs', file, line });
    }
    writeFileSync(path, whole);
  }
  assert.equal(await findingOf(directory), 'verified');
});

test('a link in the place of a copy is not followed', async (t) => {
  const directory = await exported(t, ['otlp']);
  rmSync(join(directory, 'entries.otlp.jsonl'));
  symlinkSync('/etc/hostname', join(directory, 'entries.otlp.jsonl'));
  assert.deepEqual(await findingOf(directory), { kind: 'file_unexpected', file: 'entries.otlp.jsonl' });
});

test('entries from any place on are those of the log', async (t) => {
  const source = openExport(await exported(t, []));
  for (const from of [0, 1, 255, 256, 257, 299, 300]) {
    const list = [...copiedEntries(source, 300, from)];
    assert.deepEqual(
      list.map(({ text }) => text),
      texts.slice(from),
    );
    assert.ok(list.every(({ index }, at) => index === from + at));
  }
});

test('what is no entry is exported, verified and replaced, but neither copied nor taken for its copy', async (t) => {
  const strange = signSample([...texts.slice(0, 3), '{"v":2}']);
  const parent = room(t);
  const directory = join(parent, 'audit');
  await assert.rejects(writeExport(directory, { ...strange, copies: ['ocsf'] }), {
    code: 'invalid_request',
    message: /^entry 3 cannot be copied: /,
  });
  assert.deepEqual(readdirSync(parent), []);
  await writeExport(directory, strange);
  assert.equal(await findingOf(directory), 'verified');
  const entries = copiedEntries(openExport(directory), 4);
  const three = Array.from({ length: 3 }, () => copyForms.ocsf.line(entries.next().value ?? assert.fail()));
  writeFileSync(join(directory, 'entries.ocsf.jsonl'), `${three.join('\n')}\n{}\n`);
  assert.deepEqual(await findingOf(directory), { kind: 'copy_differs', file: 'entries.ocsf.jsonl', line: 4 });
});
