// Holds the threat model to its word: every test that it names is there.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Claims in double quotes in the last column of the tables; `…` stands for what a name is made with. */
function namedTests(page: string): readonly string[] {
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && line.split(' | ').length >= 4);
  return rows.flatMap((row) => {
    const last = row.split(' | ').at(-1) ?? '';
    return [...last.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '');
  });
}

/** Names as sources write them: without the backslashes of escapes, with `…` for each part that is filled in. */
function plain(source: string): string {
  return source.replaceAll('\\', '').replaceAll(/\$\{[^}]*\}/g, '…');
}

const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8');
const sources = globSync(['packages/**/*.ts', 'tests/**/*.ts', 'tools/**/*.ts'], {
  cwd: root,
  exclude: ['**/node_modules/**'],
}).map((path) => plain(readFileSync(join(root, path), 'utf8')));

test('every test that the threat model names is in the tree', () => {
  const named = namedTests(page);
  assert.ok(named.length > 50, `${named.length} names were read`);
  const missing = named.filter((name) => !sources.some((source) => source.includes(plain(name))));
  assert.deepEqual(missing, []);
});

test('a name that no test has is found', () => {
  const row = '| a threat | what is done | `where` | "no test is called like this one here" |';
  const [name = ''] = namedTests(row);
  assert.equal(name, `no test is called like this${' one here'}`);
  assert.ok(
    !sources.filter((source) => !source.includes('namedTests')).some((source) => source.includes(name)),
  );
});
