// Holds every gate against the real tree, and checks that the gates see it at all.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { gates, readRepository } from '../../tools/house/gates.ts';
import { importsOf } from '../../tools/house/imports.ts';
import { parseTree } from '../../tools/house/tree.ts';

const root = join(import.meta.dirname, '..', '..');
const tree = parseTree(readRepository(root));

for (const [name, gate] of Object.entries(gates)) {
  test(`the house keeps ${name}: ${gate.claim}`, () => {
    const findings = gate.check(tree).map(({ path, line, message }) => `${path}:${line}: ${message}`);
    assert.ok(findings.length === 0, `${findings.length} findings\n${findings.join('\n')}`);
  });
}

test('the gates read the tree: this file, its imports and those of the server are there', () => {
  const here = tree.code.find((file) => file.path === 'tests/house/tree.test.ts');
  assert.ok(here !== undefined);
  const targets = importsOf(here).map((one) => one.target);
  assert.ok(targets.includes('tools/house/gates.ts'));
  for (const part of ['core', 'contract', 'server', 'sdk', 'cli']) {
    const files = tree.code.filter((file) => file.path.startsWith(`packages/${part}/src/`));
    assert.ok(files.length > 0, `no file of packages/${part} was read`);
  }
});

test('every gate has its planted violations', () => {
  for (const name of Object.keys(gates)) {
    const planted = tree.code.some(
      (file) => file.path.startsWith('tests/house/') && file.text.includes(`testGate('${name}'`),
    );
    assert.ok(planted, `no test plants a violation of ${name}`);
  }
});
