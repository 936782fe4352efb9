// Plants violations of what a line of code may say: purity, casts, state, SQL.

import { line, testGate } from './plant.ts';

const core = 'packages/core/src/a.ts';
const server = 'packages/server/src/gateway/a.ts';

testGate('purity', [
  line('Date.now reads the clock', core, 'export const f = () => Date.now();\n'),
  line('new Date() reads the clock', core, 'export const f = () => new Date();\n'),
  line('Date() reads the clock', core, 'export const f = () => Date();\n'),
  line('Date under another name reads the clock', core, 'const D = Date;\nexport const f = () => D.now();\n'),
  line('now taken out of Date reads the clock', core, 'export const { now } = Date;\n'),
  line('Math.random is chance', core, 'export const f = () => Math.random();\n'),
  line('random taken out of Math is chance', core, 'export const { random } = Math;\n'),
  line("Math['random'] is chance", core, "export const f = () => Math['random']();\n"),
  line('performance is the clock', core, 'export const f = () => performance.now();\n'),
  line('globalThis hides every global', core, "export const f = () => globalThis['pro' + 'cess'];\n"),
  line('process is the machine', core, 'export const f = () => process.env;\n'),
  line('a short form uses the global', core, 'export const f = () => ({ process });\n'),
  line('Buffer is of Node', core, "export const f = () => Buffer.from('');\n"),
  line('TextEncoder arrives as an argument', core, "export const f = () => new TextEncoder().encode('');\n"),
  line('crypto arrives as an argument', core, 'export const f = () => crypto.randomUUID();\n'),
  line('new Function compiles text', core, "export const f = new Function('return 1');\n"),
  line('eval compiles text', core, "export const f = () => eval('1');\n"),
  line(
    'a constructor that is called compiles text',
    core,
    "export const f = () => (() => 1).constructor('return 1');\n",
  ),
  line('a timer waits', core, 'export const f = () => setTimeout(f, 1);\n'),
  line('fetch calls out', core, "export const f = () => fetch('');\n"),
  line(
    'a node: import is refused',
    core,
    "import { createHash } from 'node:crypto';\nexport const f = createHash;\n",
  ),
  line(
    'a type of a node: import is refused',
    core,
    "import type { Hash } from 'node:crypto';\nexport type H = Hash;\n",
  ),
  line('a dynamic node: import is refused', core, "export const f = () => import('node:fs');\n"),
  line('import.meta tells where the code runs', core, 'export const f = () => import.meta.url;\n'),
  line(
    'a global that the file declares for itself is still the machine',
    core,
    'declare const process: unknown;\nexport const f = () => process;\n',
    2,
  ),
  line('a time from milliseconds is pure', core, 'export const f = (ms: number): Date => new Date(ms);\n', 0),
  line('UTC is pure', core, 'export const f = () => Date.UTC(2026, 1, 1);\n', 0),
  line('arithmetic is pure', core, 'export const f = (x: number) => Math.floor(x);\n', 0),
  line(
    'a parameter named crypto is an argument',
    core,
    'export const f = (crypto: { hash(): string }) => crypto.hash();\n',
    0,
  ),
  line(
    'a property named process is a name',
    core,
    'export const f = (x: { process: 1 }) => ({ process: x.process });\n',
    0,
  ),
  line(
    'a global in a string or comment is none',
    core,
    "// Date.now()\nexport const f = 'Math.random()';\n",
    0,
  ),
  line(
    'a test of core may use the machine',
    'packages/core/src/a.test.ts',
    'export const f = () => Date.now();\n',
    0,
  ),
  line('another package may use the machine', server, 'export const f = () => Date.now();\n', 0),
]);

testGate('casts', [
  line('any is refused', server, 'export const f = (x: any) => x;\n'),
  line('any inside a type is refused', server, 'export type F = Record<string, Array<any>>;\n'),
  line('a cast is refused', server, 'export const f = (x: unknown) => x as string;\n'),
  line(
    'a cast by way of unknown is two casts',
    server,
    'export const f = (x: number) => x as unknown as string;\n',
    2,
  ),
  line('an old cast is refused', server, 'export const f = (x: unknown) => <string>x;\n'),
  line('a non-null assertion is refused', server, 'export const f = (x?: string) => x!.length;\n'),
  line('a definite assignment is refused', server, 'export class A { x!: string; }\n'),
  line('a definite variable is refused', server, 'export const f = () => { let x!: string; return x; };\n'),
  line('an ignored error is refused', server, '// @ts-ignore because\nexport const x = 1;\n'),
  line(
    'an expected error is refused, in tests too',
    'tests/a.test.ts',
    '/* @ts-expect-error */\nexport const x = 1;\n',
  ),
  line('an unchecked file is refused', server, '// @ts-nocheck\nexport const x = 1;\n'),
  line(
    'parsed JSON of type any is refused',
    server,
    'export const f = (x: string) => { const y = JSON.parse(x); return y; };\n',
  ),
  line('a member of parsed JSON is refused', server, 'export const f = (x: string) => JSON.parse(x).user;\n'),
  line(
    'parsed JSON in a declared shape is refused',
    server,
    'export const f = (x: string) => { const y: { a: 1 } = JSON.parse(x); return y; };\n',
  ),
  line('returned JSON is refused', server, 'export const f = (x: string) => JSON.parse(x);\n'),
  line('as const is allowed', server, 'export const x = [1, 2] as const;\n', 0),
  line('renaming is no cast', server, "import { a as b } from './a.ts';\nexport { b as c };\n", 0),
  line('satisfies is allowed', server, 'export const x = { a: 1 } satisfies object;\n', 0),
  line('negation is no assertion', server, 'export const f = (x: boolean) => !x;\n', 0),
  line(
    'JSON into unknown is allowed',
    server,
    'export const f = (x: string) => { const y: unknown = JSON.parse(x); return y; };\n',
    0,
  ),
  line(
    'JSON in one branch is refused where the whole is no unknown',
    server,
    'export const f = (x: string) => { const y = x ? JSON.parse(x) : 1; return y; };\n',
  ),
  line(
    'JSON in one branch is allowed where the whole is unknown',
    server,
    'export const f = (x: string) => { const y: unknown = x ? JSON.parse(x) : 1; return y; };\n',
    0,
  ),
  line(
    'JSON to a parser is allowed',
    server,
    'export const f = (x: string) => shape.parse(JSON.parse(x));\n',
    0,
  ),
  line(
    'JSON returned as unknown is allowed',
    server,
    'export const f = (x: string): unknown => JSON.parse(x);\n',
    0,
  ),
  line(
    'JSON to a function of unknown is allowed',
    server,
    'const visit = (value: unknown) => value;\nexport const f = (x: string) => visit(JSON.parse(x));\n',
    0,
  ),
  line(
    'JSON to a function of a shape is refused',
    server,
    'const visit = (value: Key) => value;\nexport const f = (x: string) => visit(JSON.parse(x));\n',
  ),
  line('the word any in a comment or string is none', server, "// any x as y!\nexport const f = 'any';\n", 0),
]);

testGate('state', [
  line('a let at the top is state', server, 'let count = 0;\nexport const f = () => ++count;\n'),
  line('a var at the top is state', server, 'export var count = 0;\n'),
  line(
    'an empty map at the top is state',
    server,
    'const cache = new Map<string, string>();\nexport const f = () => cache;\n',
  ),
  line(
    'an empty list at the top is state',
    server,
    'const seen: string[] = [];\nexport const f = () => seen;\n',
  ),
  line('a weak map at the top is state', server, 'export const cache = new WeakMap();\n'),
  line(
    'a table is data',
    server,
    "export const table = new Map([['a', 1]]);\nexport const list = ['a'] as const;\n",
    0,
  ),
  line('an empty read-only list is data', server, 'export const none: readonly string[] = [];\n', 0),
  line(
    'a let in a function is local',
    server,
    'export const f = () => { let x = 1; x += 1; return x; };\n',
    0,
  ),
  line('a test keeps what it likes', 'packages/server/src/gateway/a.test.ts', 'let x = 1;\nx += 1;\n', 0),
]);

testGate('json', [
  line('JSON.parse is refused', server, 'export const f = (x: string): unknown => JSON.parse(x);\n'),
  line(
    'JSON.parse that is handed on is refused',
    core,
    'export const f = (x: string[]) => x.map(JSON.parse);\n',
  ),
  line('JSON under another name is refused', server, 'const { parse } = JSON;\nexport const f = parse;\n'),
  line(
    'the JSON of a body is refused',
    server,
    'export const f = (r: Response): Promise<unknown> => r.json();\n',
  ),
  line('a schema of JSON is none', core, "import { z } from 'zod';\nexport const f = z.json();\n", 0),
  line('another parse is not JSON', server, 'export const f = (x: string) => Date.parse(x);\n', 0),
  line(
    'the place that reads JSON reads it',
    'packages/core/src/parse-json.ts',
    'export const f = (x: string): unknown => JSON.parse(x);\n',
    0,
  ),
  line(
    'JSON.parse beside drawn texts is refused',
    'packages/core/src/a.test.ts',
    "import fc from 'fast-check';\nfc.assert(fc.property(fc.json(), (x) => JSON.parse(x)));\n",
  ),
  line(
    'JSON.parse of texts that a test wrote is allowed',
    'packages/core/src/a.test.ts',
    "const x: unknown = JSON.parse('{}');\n",
    0,
  ),
]);

testGate('sql', [
  line('a query outside stores is refused', server, "export const f = (db: Db) => db.selectFrom('keys');\n"),
  line(
    'an insert outside stores is refused',
    server,
    "export const f = (db: Db) => db.insertInto('keys');\n",
  ),
  line(
    'a sql template outside stores is refused',
    'packages/server/src/services/ledger/a.ts',
    'export const f = sql<number>`now()`;\n',
  ),
  line(
    'a statement in a string is refused',
    'packages/server/src/jobs/a.ts',
    "export const f = (db: Db) => db.prepare('SELECT a FROM b WHERE c = ?');\n",
  ),
  line(
    'a statement in a template is refused',
    'packages/server/src/main.ts',
    `export const f = (t: string) => \`DELETE FROM \${t}\`;\n`,
  ),
  line(
    'the cli opens no database',
    'packages/cli/src/a.ts',
    "import { DatabaseSync } from 'node:sqlite';\nexport const f = 1;\n",
  ),
  line(
    'a store speaks SQL',
    'packages/server/src/stores/keys.ts',
    "export const f = (db: Db) => db.selectFrom('keys');\n",
    0,
  ),
  line(
    'the platform speaks SQL',
    'packages/server/src/platform/db.ts',
    "export const f = 'PRAGMA journal_mode=WAL';\n",
    0,
  ),
  line('English is no SQL', server, "export const f = 'select a model from the list, or update it';\n", 0),
]);
