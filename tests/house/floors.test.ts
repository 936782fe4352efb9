// Plants violations of the floors, of the arrows between packages, and of the ban on cycles and barrels.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawHouse, drawingMarkers, parts, placeOf, rooms, withDrawing } from '../../tools/floors.ts';
import { line, type Plant, testGate } from './plant.ts';

const server = 'packages/server/src';
const imports = (specifier: string): string => `import { x } from '${specifier}';\nexport const y = x;\n`;
const up = (claim: string, from: string, specifier: string, finds = 1): Plant =>
  line(claim, `${server}/${from}`, imports(specifier), finds);

testGate('floors', [
  up('a store importing a service climbs', 'stores/keys.ts', '../services/ledger/append.ts'),
  up('a platform file importing a store climbs', 'platform/db.ts', '../stores/keys.ts'),
  up('two services do not import each other', 'services/authn/keys.ts', '../ledger/append.ts'),
  up('two protocols do not import each other', 'protocols/openai/chat.ts', '../anthropic/messages.ts'),
  up('the gateway does not import a command', 'gateway/steps/decide.ts', '../../control/assign-role.ts'),
  up('a store does not import an upstream, on the same floor', 'stores/keys.ts', '../upstreams/mail/send.ts'),
  up('what the protocols share does not import one of them', 'protocols/http/body.ts', '../openai/chat.ts'),
  up('nothing below imports a composition root', 'gateway/inference.ts', '../main.ts'),
  up(
    'the way round through the package name is the same import',
    'stores/keys.ts',
    '@countersign/server/gateway/inference',
  ),
  line(
    'a type import counts',
    `${server}/stores/keys.ts`,
    "import type { X } from '../gateway/inference.ts';\nexport type Y = X;\n",
  ),
  line('a re-export counts', `${server}/stores/keys.ts`, "export { x } from '../gateway/inference.ts';\n"),
  line(
    'a dynamic import counts',
    `${server}/stores/keys.ts`,
    "export const x = () => import('../gateway/inference.ts');\n",
  ),
  line(
    'a dynamic import in a template counts',
    `${server}/stores/keys.ts`,
    'export const x = () => import(`../gateway/inference.ts`);\n',
  ),
  line(
    'an inline type import counts',
    `${server}/stores/keys.ts`,
    "export type Y = import('../gateway/inference.ts').X;\n",
  ),
  line(
    'a worker counts',
    `${server}/stores/keys.ts`,
    "new Worker(new URL('../gateway/thread.ts', import.meta.url));\n",
  ),
  line('an import for its effect counts', `${server}/stores/keys.ts`, "import '../gateway/inference.ts';\n"),
  line('a loose file among the services is refused', `${server}/services/authn.ts`, 'export const x = 1;\n'),
  line('a file in no room is refused', `${server}/helpers/x.ts`, 'export const x = 1;\n'),
  line('core imports no contract', 'packages/core/src/a.ts', imports('@countersign/contract/operation')),
  line('contract imports no server', 'packages/contract/src/a.ts', imports('@countersign/server/main')),
  line('the server imports no sdk', `${server}/gateway/a.ts`, imports('@countersign/sdk/client')),
  line(
    'the cli imports only entry points of the server',
    'packages/cli/src/a.ts',
    imports('@countersign/server/stores/keys'),
  ),
  line('a package imports no tools', `${server}/gateway/a.ts`, imports('../../../../tools/floors.ts')),
  line(
    'a relative path does not leave a package',
    'packages/contract/src/a.ts',
    imports('../../core/src/ids.ts'),
  ),
  line('the product imports no test', `${server}/gateway/a.ts`, imports('./b.test.ts')),
  line('the product imports nothing that tests share', `${server}/gateway/a.ts`, imports('./b.support.ts')),
  up('main imports every room', 'main.ts', './protocols/openai/chat.ts', 0),
  up('a protocol imports what the protocols share', 'protocols/openai/chat.ts', '../http/body.ts', 0),
  up('a command imports a store', 'control/assign-role.ts', '../stores/roles.ts', 0),
  up('a service imports its own room', 'services/ledger/append.ts', './batch.ts', 0),
  line('the cli starts the server', 'packages/cli/src/a.ts', imports('@countersign/server/main'), 0),
  line(
    'the cli brings a store up to date',
    'packages/cli/src/a.ts',
    imports('@countersign/server/compose/migrate-store'),
    0,
  ),
  line(
    'the cli composes no server of its own',
    'packages/cli/src/a.ts',
    imports('@countersign/server/compose/serve'),
  ),
  up('the reader is a composition root', 'reader.ts', './control/queries.ts', 0),
  up('nothing below imports the reader', 'services/ledger/append.ts', '../../reader.ts'),
  line(
    'a test may compose what it likes',
    `${server}/stores/keys.test.ts`,
    imports('../gateway/inference.ts'),
    0,
  ),
  line(
    'an import in a comment or a string is none',
    `${server}/stores/a.ts`,
    "// import '../gateway/x.ts'\nexport const x = \"import '../gateway/x.ts'\";\n",
    0,
  ),
]);

testGate('cycles', [
  {
    claim: 'two files that import each other are a cycle',
    files: { 'packages/core/src/a.ts': imports('./b.ts'), 'packages/core/src/b.ts': imports('./a.ts') },
    finds: 1,
  },
  { claim: 'a file that imports itself is a cycle', files: { 'tools/a.ts': imports('./a.ts') }, finds: 1 },
  {
    claim: 'a cycle of types through the package name is a cycle',
    files: {
      'packages/core/src/a.ts': "import type { B } from '@countersign/core/b';\nexport type A = B;\n",
      'packages/core/src/b.ts': "export type B = import('./c.ts').C;\n",
      'packages/core/src/c.ts': "export type { A as C } from './a.ts';\n",
    },
    finds: 1,
  },
  {
    claim: 'a diamond is no cycle',
    files: {
      'tools/a.ts': "import './b.ts';\nimport './c.ts';\n",
      'tools/b.ts': "import './d.ts';\n",
      'tools/c.ts': "import './d.ts';\n",
      'tools/d.ts': 'export const x = 1;\n',
    },
    finds: 0,
  },
]);

testGate('barrels', [
  line(
    'a file that only re-exports is a barrel',
    'packages/core/src/index.ts',
    "export { a } from './a.ts';\nexport type { B } from './b.ts';\n",
  ),
  line(
    'importing first does not hide it',
    'packages/core/src/index.ts',
    "import { a } from './a.ts';\nexport { a };\n",
  ),
  line(
    'a star is refused beside real code',
    'packages/core/src/a.ts',
    "export * from './b.ts';\nexport const x = 1;\n",
  ),
  line(
    'a file with its own declaration is none',
    'packages/core/src/a.ts',
    "import { a } from './a.ts';\nexport const x = a;\n",
    0,
  ),
  line('an empty export is none', 'tests/a.ts', "import './a.ts';\nexport {};\n", 0),
]);

test('every room has a place of its own, and every part a folder', () => {
  for (const room of rooms) {
    for (const at of room.at) {
      const path = at.endsWith('/') ? `${at}${room.each === true ? 'some/' : ''}file.ts` : at;
      const place = placeOf(path);
      assert.ok(place.kind === 'room' && place.floor === room.floor, path);
    }
  }
  const names = new Set(parts.map((part) => part.name));
  for (const part of parts) for (const target of part.mayImport) assert.ok(names.has(target), target);
});

test('the drawing replaces what is between its markers, and a second time changes nothing', () => {
  const page = `# House\n\n${drawingMarkers.begin}\nold\n${drawingMarkers.end}\n\nafter\n`;
  const drawn = withDrawing(page);
  assert.ok(
    drawn?.includes(drawHouse()) === true && drawn.endsWith('\n\nafter\n') && !drawn.includes('\nold\n'),
  );
  assert.equal(withDrawing(drawn), drawn);
  assert.equal(withDrawing('no markers'), undefined);
});
