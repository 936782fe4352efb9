// Tries whether the reference pages say what the source says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { operations } from '@countersign/contract/operations';
import { referencePages } from './pages.ts';

const root = join(import.meta.dirname, '..', '..');

test('every reference page is current: `node tools/reference/main.ts` writes them', () => {
  for (const { path, text } of referencePages(root)) {
    assert.ok(readFileSync(join(root, path), 'utf8') === text, `\`${path}\` is old`);
  }
});

test('every operation has its section and its verb', () => {
  const [api, cli] = referencePages(root);
  for (const { id, method, path, tag } of operations) {
    assert.ok(api?.text.includes(`### ${id}\n\n\`${method} /api/v1${path}\``), id);
    assert.ok(cli?.text.includes(`## countersign ${tag} ${id.split('.')[1]?.replaceAll('_', '-')}\n`), id);
  }
});
