// Claims about unknown errors of the storage threads: they are logged with their thread, and no secret with them.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Canary, leaksIn } from '../support/canaries.ts';
import { until } from '../support/gateway.ts';
import { assertReplays, storageOf } from '../support/replayed-store.ts';
import { at, requestApi } from '../support/server.ts';
import {
  type Environment,
  initProcessStore,
  processEnv,
  type ServerProcess,
  startProcess,
} from '../support/server-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-faults-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const random = (): string => randomBytes(24).toString('hex');
const secrets = {
  'virtual key': `csk_${random()}`,
  'bearer token': `tok${random()}`,
  'provider key': `sk-live-${random()}`,
  password: `pw${random()}`,
  'field of an error': `field${random()}`,
};
const canaries: readonly Canary[] = Object.entries(secrets).map(([name, secret]) => ({ name, secret }));

/** The source of an error that tells every secret, each where such errors have them. */
const telling = `Object.assign(
  new Error(${JSON.stringify(`planted: refused ${secrets['virtual key']} with authorization: Bearer ${secrets['bearer token']}`)}, {
    cause: new Error(${JSON.stringify(`postgres://app:${secrets.password}@db.example.com/x said ${secrets['provider key']}`)}),
  }),
  { apiKey: ${JSON.stringify(secrets['field of an error'])} },
)`;

/** Loaded by each thread before its own code: one kind of statement fails, and tells secrets. */
const inThread = join(folder, 'in-thread.mjs');
writeFileSync(
  inThread,
  `import { DatabaseSync } from 'node:sqlite';
const failing = import.meta.url.endsWith('reader.ts') ? /from "entry_bundles"/ : /into "usage_daily"/;
const prepare = DatabaseSync.prototype.prepare;
DatabaseSync.prototype.prepare = function (sql, ...rest) {
  if (failing.test(sql)) throw ${telling};
  return prepare.call(this, sql, ...rest);
};
`,
);

/** Loaded by the main thread before its own code: both threads load the other file. SIGUSR2 makes it fail itself. */
const preload = join(folder, 'preload.mjs');
writeFileSync(
  preload,
  `import threads from 'node:worker_threads';
import { syncBuiltinESMExports } from 'node:module';
if (threads.isMainThread) {
  const Own = threads.Worker;
  threads.Worker = class extends Own {
    constructor(url, options) {
      const [thread] = /(?:writer|reader)\\.ts$/.exec(String(url)) ?? [];
      const plant = thread === undefined ? [] : ['--import', ${JSON.stringify(pathToFileURL(inThread).href)} + '?' + thread];
      const execArgv = [...(options.execArgv ?? []), ...plant];
      super(url, { ...options, execArgv });
    }
  };
  syncBuiltinESMExports();
  process.on('SIGUSR2', () => {
    throw ${telling};
  });
}
`,
);

/** The lines of the log that are of the planted error, as values. */
function faultsOf(server: ServerProcess): readonly unknown[] {
  return server.lines
    .filter((line) => line.includes('planted'))
    .map((line): unknown => (line.startsWith('{') ? JSON.parse(line) : line));
}

async function start(t: { readonly after: (end: () => Promise<void>) => void }) {
  const directory = mkdtempSync(join(folder, 'store-'));
  const env: Environment = processEnv(directory);
  const made = await initProcessStore(env);
  const server = await startProcess({ env, flags: ['--import', preload] });
  t.after(server.kill);
  return { env, made, server };
}

test('an unknown error of each storage thread is logged by its name, and no secret leaves with it', async (t) => {
  const { env, made, server } = await start(t);
  const call = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${made.modelsKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] }),
  });
  assert.equal(call.status, 200, await call.text());
  const path = `/ledger/tile/${encodeURIComponent('entries/000.p/1')}`;
  const tile = await requestApi(server.url, made.managementKey, 'GET', path, undefined);
  assert.equal(tile.status, 500, JSON.stringify(tile.body));
  const threadsOf = () => new Set(faultsOf(server).map((fault) => at(fault, 'thread')));
  await until(() => threadsOf().has('writer') && threadsOf().has('reader'));
  assert.deepEqual([...threadsOf()].sort(), ['reader', 'writer']);
  for (const fault of faultsOf(server)) {
    assert.equal(at(fault, 'level'), 'error');
    assert.match(String(at(fault, 'error.stack')), /planted: refused \[secret\]/);
  }
  server.signal('SIGTERM');
  await server.ended;
  assert.deepEqual(
    leaksIn(canaries, [
      { name: 'output', bytes: server.lines.join('\n') },
      { name: 'answer', bytes: JSON.stringify(tile.body) },
    ]),
    [],
  );
  // Errors beside the ledger leave it whole.
  await assertReplays(storageOf(env));
});

test('an error of the main thread that nothing catches ends the process with a line, and no secret leaves with it', async (t) => {
  const { server } = await start(t);
  server.signal('SIGUSR2');
  assert.equal((await server.ended).code, 1);
  const [fault] = faultsOf(server);
  assert.equal(at(fault, 'level'), 'fatal');
  assert.deepEqual(leaksIn(canaries, [{ name: 'output', bytes: server.lines.join('\n') }]), []);
});
