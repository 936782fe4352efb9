// Checks where the file of checkpoints is made, what is said where it cannot be, and that a full disk tears nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCheckpointFile } from './checkpoint-file.ts';

const ignore = (): void => {};

test('its folder is made with it: on PostgreSQL nothing else makes the data folder', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'countersign-checkpoint-file-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const path = join(root, 'not', 'there', 'checkpoints.log');
  const file = openCheckpointFile(path, ignore);
  file.note('org', 'a checkpoint');
  file.close();
  assert.equal(readFileSync(path, 'utf8'), 'a checkpoint\n');
});

test('a path that cannot be written stops the start with the path and what to do', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'countersign-checkpoint-file-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  writeFileSync(join(root, 'file'), '');
  const nowhere = process.platform === 'linux' ? ['/proc/x/y'] : [];
  // Opened to be written, a pipe waits for its reader.
  const pipe = join(root, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const path of [root, join(root, 'file', 'x'), pipe, ...nowhere])
    assert.throws(() => openCheckpointFile(path, ignore), {
      code: 'storage_unavailable',
      message: `checkpoints cannot be written to \`${path}\`: give another path in \`COUNTERSIGN_CHECKPOINT_FILE\`, or \`off\``,
    });
});

const note = (log: string, size: number): string => `gateway.test/${log}\n${size}\nroot\n\n— signed\n`;

test('a disk that is full in the middle of a checkpoint leaves nothing of it, and it is written when there is room', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'countersign-checkpoint-file-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const path = join(root, 'checkpoints.log');
  const told: unknown[] = [];
  let room = Number.POSITIVE_INFINITY;
  const file = openCheckpointFile(
    path,
    (error) => told.push(error),
    (fd, bytes) => {
      if (room === 0) throw new Error('ENOSPC');
      // A part at a time, as a disk that fills up takes it.
      const done = writeSync(fd, bytes.subarray(0, Math.min(room, 7)));
      room -= done;
      return done;
    },
  );
  file.note('a', note('a', 1));
  file.flush();
  room = 10;
  file.note('a', note('a', 2));
  file.note('b', note('b', 5));
  for (let n = 0; n < 3; n += 1) file.flush();
  assert.equal(readFileSync(path, 'utf8'), `${note('a', 1)}\n`);
  assert.equal(told.length, 1, 'once, until it can be written again');
  file.note('a', note('a', 3));
  room = Number.POSITIVE_INFINITY;
  file.flush();
  room = 0;
  file.note('a', note('a', 4));
  file.flush();
  assert.equal(told.length, 2);
  room = Number.POSITIVE_INFINITY;
  file.close();
  const written = [note('a', 1), note('a', 3), note('b', 5), note('a', 4)];
  assert.equal(readFileSync(path, 'utf8'), written.map((text) => `${text}\n`).join(''));
});

test('a checkpoint begins after an empty line, whatever a former run or somebody else left at the end', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'countersign-checkpoint-file-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const [i, [left, gap]] of [
    ['', ''],
    [`${note('a', 1)}\n`, ''],
    [note('a', 1), '\n'],
    ['gateway.test/a\n1', '\n\n'],
    ['\n', '\n'],
  ].entries()) {
    const path = join(root, String(i));
    appendFileSync(path, left ?? '');
    const file = openCheckpointFile(path, ignore);
    file.note('a', note('a', 2));
    file.flush();
    file.note('a', note('a', 3));
    file.close();
    assert.equal(readFileSync(path, 'utf8'), `${left}${gap}${note('a', 2)}\n${note('a', 3)}\n`);
  }
});
