// Plants violations of what a file may be: its length, its opening, what it leaks, what it documents and depends on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawHouse, drawingMarkers } from '../../tools/floors.ts';
import { runtimeClosure } from '../../tools/house/dependencies.ts';
import { line, testGate } from './plant.ts';

const lines = (count: number): string => 'x();\n'.repeat(count);
const source = 'packages/core/src/a.ts';

testGate('size', [
  line('a file of 301 lines is long', source, lines(301)),
  line('a test file of 301 lines is long', 'tests/a.test.ts', lines(301)),
  line('a function of 61 lines is long', source, `function f() {\n${lines(59)}}\n`),
  line('an arrow of 61 lines is long', source, `export const f = () => {\n${lines(59)}};\n`),
  line('a method of 61 lines is long', source, `export class A { f() {\n${lines(59)}} }\n`),
  line('a helper in a test is a function', 'tests/a.test.ts', `function f() {\n${lines(59)}}\n`),
  line(
    'a callback of something else is a function',
    'tests/a.test.ts',
    `list.map(() => {\n${lines(59)}});\n`,
  ),
  line('a file of 300 lines is not', source, lines(300), 0),
  line('a function of 60 lines is not', source, `function f() {\n${lines(58)}}\n`, 0),
  line(
    'a brace in a string ends no function',
    source,
    `function f() {\nx('}');\n${lines(3)}}\n${lines(80)}`,
    0,
  ),
  line(
    'the story of a test may be longer',
    'tests/a.test.ts',
    `test('a', async (t) => {\n${lines(70)}await t.test('b', () => {\n${lines(62)}});\n});\n`,
    0,
  ),
  line(
    'a suite that several seams share is as long as its stories',
    'tests/suite.ts',
    `export function suite() {\ntest('a', () => {\n${lines(40)}});\ntest('b', () => {\n${lines(40)}});\n}\n`,
    0,
  ),
  line(
    'outside tests a callback named test hides nothing',
    source,
    `export function suite() {\ntest('a', () => {\n${lines(40)}});\n${lines(30)}}\n`,
  ),
  line('what is generated may be longer', 'packages/core/src/a.generated.ts', lines(400), 0),
]);

testGate('opening', [
  line('a file without a sentence is refused', source, 'export const x = 1;\n'),
  line(
    'a file that opens with something else is refused',
    source,
    '/** Owns something. */\nexport const x = 1;\n',
  ),
  line(
    'a file that does not say what it owns is refused',
    source,
    '// Some functions for ledgers.\nexport const x = 1;\n',
  ),
  line('a test without a sentence is refused', 'packages/core/src/a.test.ts', "import 'node:test';\n"),
  line(
    'a sentence that says it is enough',
    source,
    '// Owns the shape of an entry.\nexport const x = 1;\n',
    0,
  ),
  line(
    'a shebang may come first',
    'packages/cli/src/a.ts',
    '#!/usr/bin/env node\n// Owns the command line.\n',
    0,
  ),
  line(
    'a test says what it tries',
    'packages/core/src/a.test.ts',
    "// Tries to break the tree's proofs.\n",
    0,
  ),
]);

// Put together here, so that the gate does not find them in this file.
const machine = ['', 'work', 'main', 'a.ts'].join('/');
const scratch = ['', 'tmp', 'x.sock'].join('/');
const registry = ['registry', 'npmjs', 'org'].join('.');
const person = ['someone', 'company.io'].join('@');
const pem = ['-----BEGIN', 'PRIVATE', 'KEY-----'].join(' ');

testGate('leaks', [
  line('a path of one machine is refused', 'docs/a.md', `see ${machine}\n`),
  line('a path in a string is refused', source, `// Owns x.\nexport const x = '${scratch}';\n`),
  line('a registry host is refused', 'package-lock.json', `{ "resolved": "https://${registry}/x" }\n`),
  line('an address of a person is refused', 'docs/a.md', `ask ${person}\n`),
  line('a private key is refused', 'tests/key.pem', `${pem}\n${'MC4CAQAwBQYDK2VwBCIEIA'.repeat(3)}\n`),
  line(
    'addresses kept for examples are allowed',
    'docs/a.md',
    'alice@example.com bob@corp.example x@a.test\n',
    0,
  ),
  line(
    'versions and scopes are no addresses',
    'docs/a.md',
    'zod@4.6.7 @countersign/core git@github.com x@1.0.0-rc.beta\n',
    0,
  ),
  line(
    'a URL path is no machine path',
    'docs/a.md',
    'https://example.com/work/x and packages/tmp/x and /v1/models\n',
    0,
  ),
]);

testGate('docs', [
  {
    claim: 'two decisions with one number are refused',
    files: { 'docs/adr/0001-a.md': '# A\n', 'docs/adr/0001-b.md': '# B\n' },
    finds: 1,
    at: 'docs/adr/0001-b.md:1',
  },
  line('a decision without a number is refused', 'docs/adr/notes.md', '# A\n'),
  line('a link to nothing is refused', 'README.md', 'line\n\nread [this](docs/none.md)\n'),
  line('a link to no heading is refused', 'README.md', '# Start here\n\n[go](#begin-here)\n'),
  {
    claim: 'links to files, folders, headings and the outside are allowed',
    files: {
      'README.md':
        '# It `runs`, now\n[a](docs/a.md#one-two) [d](docs) [h](#it-runs-now) [w](https://example.com/x) `[c](no.md)`\n',
      'docs/a.md': '## One two\n[up](../README.md "title")\n',
    },
    finds: 0,
  },
]);

testGate('drawing', [
  line('a page without the drawing is refused', 'ARCHITECTURE.md', '# House\n'),
  line(
    'an old drawing is refused',
    'ARCHITECTURE.md',
    `${drawingMarkers.begin}\n${drawHouse().replace('gateway', 'router')}\n${drawingMarkers.end}\n`,
  ),
  { claim: 'a missing page is refused', files: {}, finds: 1 },
  line(
    'the current drawing is allowed',
    'ARCHITECTURE.md',
    `${drawingMarkers.begin}\n${drawHouse()}\n${drawingMarkers.end}\n`,
    0,
  ),
]);

const entry = (needs: Readonly<Record<string, string>>) => ({ version: '1.0.0', dependencies: needs });
const many = Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`p${i}`, '1']));
const lockOf = (packages: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ lockfileVersion: 3, packages });
const laid = Object.fromEntries(Object.keys(many).map((name) => [`node_modules/${name}`, entry({})]));

testGate('dependencies', [
  line('61 packages are too many', 'package-lock.json', lockOf({ 'packages/server': entry(many), ...laid })),
  {
    claim: 'a dependency that no decision names is refused',
    files: {
      'package-lock.json': lockOf({}),
      'packages/server/package.json': '{ "dependencies": { "left": "1", "@countersign/core": "1" } }',
      'docs/adr/0001-a.md': 'we took left-pad and my/left',
    },
    finds: 1,
    at: 'packages/server/package.json:1',
  },
  {
    claim: 'a decided dependency within the budget is allowed',
    files: {
      'package-lock.json': lockOf({
        'packages/server': entry({ left: '1' }),
        'node_modules/left': entry({}),
      }),
      'packages/server/package.json':
        '{ "dependencies": { "left": "1" }, "devDependencies": { "right": "1" } }',
      'docs/adr/0001-a.md': 'we took `left`',
    },
    finds: 0,
  },
]);

test('what runs is counted through links, nested copies, peers and optional packages, and nothing else', () => {
  const lock = lockOf({
    '': { devDependencies: { dev: '1' } },
    'packages/server': { dependencies: { '@countersign/core': '1', a: '1' }, devDependencies: { dev: '1' } },
    'packages/core': entry({ b: '1' }),
    'node_modules/@countersign/core': { link: true, resolved: 'packages/core' },
    'node_modules/a': {
      dependencies: { c: '1' },
      peerDependencies: { p: '1', q: '1' },
      peerDependenciesMeta: { q: { optional: true } },
    },
    'node_modules/a/node_modules/c': { optionalDependencies: { o: '1' } },
    'node_modules/b': entry({}),
    'node_modules/c': entry({ never: '1' }),
    'node_modules/o': entry({}),
    'node_modules/p': entry({}),
    'node_modules/q': entry({}),
    'node_modules/dev': entry({}),
    'node_modules/never': entry({}),
  });
  const expected = ['a', 'a/node_modules/c', 'b', 'o', 'p'].map((name) => `node_modules/${name}`);
  assert.deepEqual([...runtimeClosure(lock, 'packages/server')].sort(), expected.sort());
});
