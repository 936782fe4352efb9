// Plants violations of what code may reach and what a comment may promise: egress, comments.

import { line, testGate } from './plant.ts';

const server = 'packages/server/src/gateway/a.ts';

testGate('egress', [
  line('fetch in the server is refused', server, "export const f = () => fetch('');\n"),
  line('globalThis.fetch is refused', server, "export const f = () => globalThis.fetch('');\n"),
  line(
    'a request imported by name is refused',
    server,
    "import { request } from 'node:https';\nexport const f = request;\n",
  ),
  line(
    'a request under another name is refused',
    server,
    "import { request as r } from 'http';\nexport const f = r;\n",
  ),
  line(
    'a request of the whole module is refused',
    server,
    "import * as http from 'node:http';\nexport const f = () => http.request('');\n",
  ),
  line(
    'a socket is refused',
    server,
    "import net from 'node:net';\nexport const f = () => net.connect(1);\n",
  ),
  line(
    'a TLS socket is refused',
    'packages/server/src/services/broker/a.ts',
    "import tls from 'node:tls';\nexport const f = () => tls.connect(1);\n",
  ),
  line(
    'a client of undici is refused',
    'packages/server/src/upstreams/providers/a.ts',
    "import { Client } from 'undici';\nexport type X = typeof Client;\n",
  ),
  line(
    'undici as a whole is refused',
    server,
    "import * as undici from 'undici';\nexport const f = undici;\n",
  ),
  line(
    'a part of undici is refused',
    server,
    "import Client from 'undici/lib/dispatcher/client.js';\nexport type X = typeof Client;\n",
  ),
  line(
    "undici's errors are allowed",
    server,
    "import errors from 'undici/lib/core/errors.js';\nexport const f = errors;\n",
    0,
  ),
  line('a web socket is refused', server, "export const f = () => new WebSocket('');\n"),
  line(
    'the dialer dials',
    'packages/server/src/platform/egress/dial.ts',
    "import { Client } from 'undici';\nexport const f = () => new Client('');\n",
    0,
  ),
  line(
    'a type of undici is allowed',
    server,
    "import type { Client } from 'undici';\nexport type C = Client;\n",
    0,
  ),
  line(
    'listening is not dialing',
    server,
    "import { createServer } from 'node:http';\nexport const f = createServer;\n",
    0,
  ),
  line('a method named fetch is not the global', server, "export const f = (x: X) => x.fetch('');\n", 0),
  line('a client of the sdk may call', 'packages/sdk/src/a.ts', "export const f = () => fetch('');\n", 0),
]);

const todo = ['TO', 'DO'].join('');
const ignore = ['biome', 'ignore'].join('-');

testGate('comments', [
  line('a promise without an issue is refused', server, `// ${todo}: later\nexport const x = 1;\n`),
  line('a promise in a block is refused', server, `/* ${['FIX', 'ME'].join('')} */\nexport const x = 1;\n`),
  line('a suppression without a reason is refused', server, `// ${ignore} lint/a/b\nexport const x = 1;\n`),
  line(
    'a suppression with a word for a reason is refused',
    server,
    `// ${ignore} lint/a/b: ok\nexport const x = 1;\n`,
  ),
  line(
    'a promise with its issue is allowed',
    server,
    `// ${todo}(#12): read the second page\nexport const x = 1;\n`,
    0,
  ),
  line(
    'a suppression with its reason is allowed',
    server,
    `// ${ignore} lint/a/b: the callback's shape is the library's\nexport const x = 1;\n`,
    0,
  ),
  line(
    'a string that says so is no comment',
    server,
    `export const x = '// ${todo}';\nexport const y = \`// ${todo} \${x} // ${todo}\`;\n`,
    0,
  ),
  line('a pattern that looks like a comment is none', server, `export const x = /[/]\\/\\/ ${todo}/;\n`, 0),
]);
