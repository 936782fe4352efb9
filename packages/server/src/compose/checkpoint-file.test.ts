// Checks where the file of checkpoints is made, and what is said where it cannot be.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  for (const path of [root, join(root, 'file', 'x'), ...nowhere])
    assert.throws(() => openCheckpointFile(path, ignore), {
      code: 'storage_unavailable',
      message: `checkpoints cannot be written to \`${path}\`: give another path in \`COUNTERSIGN_CHECKPOINT_FILE\`, or \`off\``,
    });
});
