// Claims about a management address of its own: administration answers there and nowhere else, models on the first alone.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { at, startServer, type TestServer } from '../support/server.ts';
import { processEnv, runServer, startProcess } from '../support/server-process.ts';

const call = JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] });
/** A path of each face, as whoever may ask for it asks. */
const ofManagement = ['/api/v1/organization', '/api/v1/openapi.json', '/metrics', '/setup'];
const ofModels = ['/v1/chat/completions', '/v1/models', '/v1/messages'];
const ofBoth = ['/healthz', '/readyz'];

let apart: TestServer;
let together: TestServer;
before(async () => {
  apart = await startServer({
    env: {
      COUNTERSIGN_MANAGEMENT_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_MANAGEMENT_PUBLIC_URL: 'http://admin.test',
    },
  });
  together = await startServer();
});
after(async () => {
  await apart.stop();
  await together.stop();
});

async function ask(server: TestServer, base: string, path: string) {
  const isModels = path.startsWith('/v1/');
  const isPost = isModels && path !== '/v1/models';
  const key = isModels ? server.modelsKey : server.managementKey;
  const response = await fetch(`${base}${path}`, {
    method: isPost ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(isPost ? { body: call } : {}),
  });
  return { status: response.status, text: await response.text() };
}

/** Nothing of ours is at the path: the same answer as for one that no face knows. */
function assertNothing(
  { status, text }: { readonly status: number; readonly text: string },
  path: string,
): void {
  assert.equal(status, 404, `${path}: ${text}`);
  assert.match(text, /there is nothing at this path/, path);
}

test('a start that fails closes what it has opened: the store is free for the next one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-listen-'));
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const env = { COUNTERSIGN_LISTEN: `127.0.0.1:${port}` };
    await assert.rejects(startServer({ directory, env }), /another process listens there/);
    const server = await startServer({ directory });
    assert.equal((await ask(server, server.url, '/healthz')).status, 200);
    await server.stop();
  } finally {
    taken.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('with an address of its own, management and metrics answer there and are not on the first', async () => {
  const { url, managementUrl } = apart.server;
  assert.notEqual(managementUrl, url);
  for (const path of ofManagement) {
    const there = await ask(apart, managementUrl, path);
    // No set-up is open: its page says so, with the status of a path that is not there.
    if (path === '/setup') assert.match(there.text, /<html/, path);
    else assert.equal(there.status, 200, `${path}: ${there.text}`);
    assertNothing(await ask(apart, url, path), path);
  }
  const metrics = await fetch(`${managementUrl}/metrics`);
  assert.equal(metrics.status, 200, 'whoever reaches that address needs no key for metrics');
  assert.match(await metrics.text(), /countersign_/);
});

test('with an address of its own, models are on the first address and not on that of management', async () => {
  const { url, managementUrl } = apart.server;
  for (const path of ofModels) {
    const here = await ask(apart, url, path);
    assert.notEqual(here.status, 404, `${path}: ${here.text}`);
    assertNothing(await ask(apart, managementUrl, path), path);
  }
  assert.equal((await ask(apart, url, '/v1/chat/completions')).status, 200);
});

test('with an address of its own, management is named by it: in the description, and where a path is not there', async () => {
  const { url, managementUrl } = apart.server;
  const described = await ask(apart, managementUrl, '/api/v1/openapi.json');
  assert.equal(at(JSON.parse(described.text), 'servers.0.url'), 'http://admin.test/api/v1');
  const text = (await ask(apart, url, '/api/v1/organization')).text;
  assert.match(text, /administration has an address of its own, COUNTERSIGN_MANAGEMENT_LISTEN/);
  assert.doesNotMatch(text, /\/api\/v1\//);
  assert.match((await ask(apart, managementUrl, '/v1/models')).text, /administration goes to `\/api\/v1\/…`/);
});

test('with an address of its own, the set-up page tells the command line that of management', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-listen-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const running = await startProcess({
    env: processEnv(directory, {
      COUNTERSIGN_MANAGEMENT_LISTEN: '127.0.0.1:0',
      COUNTERSIGN_MANAGEMENT_PUBLIC_URL: 'http://admin.test',
    }),
  });
  t.after(running.kill);
  const link = running.lines.find((line) => line.startsWith('Set it up once, here: '))?.split(': ')[1] ?? '';
  assert.ok(link.startsWith(`${running.managementUrl}/setup?`), link);
  const form = {
    token: new URL(link).searchParams.get('token') ?? '',
    slug: 'a',
    email: 'a@b.example',
    name: 'A',
  };
  const page = await fetch(link, { method: 'POST', body: new URLSearchParams(form) });
  const text = await page.text();
  assert.equal(page.status, 200, text);
  assert.match(text, /export COUNTERSIGN_URL=http:\/\/admin\.test\n/);
  assert.match(text, /curl -i http:\/\/gateway\.test\/v1/);
});

test('both addresses say how they are', async () => {
  for (const base of [apart.server.url, apart.server.managementUrl]) {
    for (const path of ofBoth) assert.equal((await ask(apart, base, path)).status, 200, `${base}${path}`);
  }
});

test('a key of the other kind opens neither address', async () => {
  const { url, managementUrl } = apart.server;
  const swapped = { ...apart, modelsKey: apart.managementKey, managementKey: apart.modelsKey };
  assert.equal((await ask(swapped, managementUrl, '/api/v1/organization')).status, 401);
  assert.equal((await ask(swapped, url, '/v1/chat/completions')).status, 401);
});

test('without one, the first address serves all', async () => {
  const { url, managementUrl } = together.server;
  assert.equal(managementUrl, url);
  for (const path of ['/api/v1/organization', '/metrics', '/v1/chat/completions', ...ofBoth])
    assert.equal((await ask(together, url, path)).status, 200, path);
  assert.equal((await fetch(`${url}/metrics`)).status, 401, 'where models are served, metrics take a key');
});

test('an address that is taken stops the start and names the setting of that address', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-listen-'));
  const neighbour = createServer();
  await new Promise<void>((resolve) => {
    neighbour.listen(0, '127.0.0.1', resolve);
  });
  const port = at(neighbour.address(), 'port');
  const env = { COUNTERSIGN_MANAGEMENT_LISTEN: `127.0.0.1:${String(port)}` };
  const started = runServer({ env: processEnv(directory, env) });
  t.after(() => {
    started.kill();
    neighbour.close();
    rmSync(directory, { recursive: true, force: true });
  });
  assert.deepEqual(await started.ended, { code: 1, signal: null });
  assert.match(
    started.lines.join('\n'),
    /another process listens there; set COUNTERSIGN_MANAGEMENT_LISTEN$/m,
  );
});
