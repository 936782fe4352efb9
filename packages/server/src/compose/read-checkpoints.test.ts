// Checks that the newest checkpoint of a log is found at the end of its file, whatever else stands there.

import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { signCheckpoint } from '@countersign/core/ledger/checkpoint';
import { formatVerifierKey, makeVerifierKey } from '@countersign/core/ledger/note';
import { generateLogKey, loadLogKey, sha256, signerOf, utf8 } from '../services/ledger/crypto.ts';
import { largestInText, laterLogsIn, newestInFile, successorIn } from './read-checkpoints.ts';

function logOf(origin: string) {
  const { pkcs8, publicKey } = generateLogKey();
  const key = makeVerifierKey({ sha256, utf8 }, origin, 'ed25519', publicKey);
  const sign = signerOf(loadLogKey(pkcs8));
  return {
    asked: { origin, verifierKey: formatVerifierKey(key) },
    at: (size: number): string =>
      signCheckpoint(utf8, key, { size, root: sha256(utf8(`${origin} ${size}`)) }, sign),
  };
}

const own = logOf('gateway.test/org_own');
const other = logOf('gateway.test/org_other');
/** Who does not have the log's key, and gives itself its name. */
const stranger = logOf('gateway.test/org_own');

function fileOf(t: TestContext, ...parts: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'countersign-read-checkpoints-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const path = join(root, 'checkpoints.log');
  writeFileSync(path, parts.join(''));
  return path;
}

const sizeIn = (path: string): number | undefined =>
  newestInFile(path, [own.asked]).get(own.asked.origin)?.checkpoint.size;

test('the newest of each log is found, and is given as it stands there', (t) => {
  const path = fileOf(t, ...[own.at(3), other.at(9), own.at(7), other.at(4)].map((note) => `${note}\n`));
  const found = newestInFile(path, [own.asked, other.asked]);
  assert.equal(found.get(own.asked.origin)?.note, own.at(7));
  assert.equal(found.get(other.asked.origin)?.checkpoint.size, 9, 'the largest of what lies close together');
});

test('torn, foreign, forged and altered notes are passed over', (t) => {
  const good = own.at(5);
  const path = fileOf(
    t,
    `${good}\n`,
    `${stranger.at(90)}\n`,
    `${own.at(8).replace('\n8\n', '\n80\n')}\n`,
    `${logOf('gateway.test/org_gone').at(70)}\n`,
    `${own.asked.origin}\n6\nno root\n\n`,
    `\u0000\u0001 ${own.asked.origin}\n`,
    own.at(60).slice(0, -60),
  );
  assert.equal(sizeIn(path), 5);
  appendFileSync(path, `\n\n${own.at(6)}`);
  assert.equal(sizeIn(path), 6, 'after a write that was cut');
});

test('a note is found wherever parts of the file meet, also far from the end', (t) => {
  const note = `${own.at(12)}\n`;
  const line = `${'x'.repeat(1_022)}\n`;
  for (const shift of [0, 1, 20, note.length - 1, note.length]) {
    const behind = `${line.repeat(256)}${'y'.repeat(shift)}`;
    assert.equal(sizeIn(fileOf(t, line.repeat(300), '\n', note, behind)), 12, `${shift} bytes further`);
  }
  assert.equal(sizeIn(fileOf(t, note, line.repeat(3_000))), 12, 'at the very beginning');
  assert.equal(sizeIn(fileOf(t, line.repeat(3_000))), undefined);
  assert.equal(sizeIn(fileOf(t)), undefined);
});

test('a large file takes no time where the log is in its last part, and little where it is nowhere', (t) => {
  const path = fileOf(t, `${own.at(3)}\n`);
  const many = Buffer.from(Array.from({ length: 4_000 }, (_, n) => `${other.at(n)}\n`).join(''));
  for (let written = 0; written < 80 * 1024 * 1024; written += many.length) appendFileSync(path, many);
  const began = performance.now();
  assert.equal(newestInFile(path, [other.asked]).size, 1);
  const near = performance.now() - began;
  assert.equal(sizeIn(path), undefined, 'what lies more than 64 MiB before the end is not looked for');
  const far = performance.now() - began - near;
  t.diagnostic(`found in ${near.toFixed(1)} ms, not found in ${far.toFixed(1)} ms`);
  assert.ok(near < 500 && far < 5_000);
});

test('whoever fills the file with notes that are none holds up no start', (t) => {
  const forged = own.at(8).replace('\n8\n', '\n80\n');
  const later = forged.replace(own.asked.origin, `${own.asked.origin}/2`);
  for (const [what, line] of [
    ['beginnings', `${own.asked.origin}\n90\n`],
    ['false signatures', `${forged}\n`],
    ['false successors', `${later}\n`],
  ] as const) {
    const path = fileOf(t, `${own.at(3)}\n`);
    const many = line.repeat(Math.floor(1_000_000 / line.length));
    for (let n = 0; n < 8; n += 1) appendFileSync(path, many);
    appendFileSync(path, `\n\n${what === 'false signatures' ? '' : own.at(5)}`);
    let isFlooded = false;
    const began = performance.now();
    const found = newestInFile(path, [own.asked], () => {
      isFlooded = true;
    });
    assert.equal(successorIn(path, own.asked), undefined);
    const ms = performance.now() - began;
    t.diagnostic(`${what}: ${ms.toFixed(0)} ms`);
    assert.equal(isFlooded, what === 'false signatures', what);
    assert.equal(found.get(own.asked.origin)?.checkpoint.size, isFlooded ? undefined : 5, what);
    assert.ok(ms < 5_000, `${what}: ${ms} ms`);
  }
});

test('a checkpoint that was kept is read as a note, or as the answer of the API', () => {
  const note = own.at(4);
  for (const text of [
    note,
    `${other.at(9)}\n${note}\n`,
    JSON.stringify({ checkpoint: note, verifierKey: 'x' }),
  ])
    assert.equal(largestInText(text, [own.asked]).get(own.asked.origin)?.note, note);
  for (const text of ['', '{', 'no checkpoint', stranger.at(4)])
    assert.equal(largestInText(text, [own.asked]).size, 0);
});

test('logs that have followed one are counted, whoever signed', (t) => {
  const [second, third] = [logOf('gateway.test/org_own/2'), logOf('gateway.test/org_own/3')];
  const path = fileOf(
    t,
    ...[own.at(3), second.at(4), third.at(2), second.at(9), own.at(2)].map((note) => `${note}\n`),
  );
  assert.deepEqual(laterLogsIn(path, own.asked.origin), { number: 3, entries: 11 });
  assert.deepEqual(laterLogsIn(path, second.asked.origin), { number: 3, entries: 2 });
  assert.deepEqual(laterLogsIn(path, third.asked.origin), { number: 3, entries: 0 });
  assert.deepEqual(laterLogsIn(path, other.asked.origin), { number: 1, entries: 0 });
});
