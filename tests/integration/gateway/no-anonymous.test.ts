// Claims about P1: no path, method or upgrade reaches a model or a management operation without a principal.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { operations } from '@countersign/contract/operations';
import { fixedPaths } from '@countersign/core/dialects/endpoints';
import { startGateway, type TestGateway } from '../../support/gateway.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;

/** The table's own paths, and those that are patterns, passed through, or nothing. */
const dataPaths = [
  ...fixedPaths,
  '/v1/responses/resp_1',
  '/v1/responses/resp_1/cancel',
  '/v1/responses/resp_1/input_items',
  '/v1/messages?beta=true',
  '/v1/models/m',
  '/v1/files',
  '/v1/batches',
  '/v1/anything/else',
  '/providers/fake/v1/files',
  '/providers/fake/v1/chat/completions',
  '/providers/fake/v1/responses/resp_1',
  '/providers/nobody/v1/files',
];
const prefixed = dataPaths.flatMap((path) =>
  path.startsWith('/v1') ? [path, `/openai${path}`, `/anthropic${path}`] : [path],
);
/** Spellings by which a path could miss its guard and still find its handler. */
const twisted = [
  '//v1/chat/completions',
  '/v1//chat/completions',
  '/V1/chat/completions',
  '/v1/chat/completions/',
  '/v1/./chat/completions',
  '/v1/x/../chat/completions',
  '/v1/chat%2Fcompletions',
  '/healthz/../v1/chat/completions',
  '/readyz/../api/v1/keys',
  '/v1/chat/completions;a=b',
  '/api/v1/../v1/keys',
  '/api/v1/%2e%2e/keys',
  '/api/v1/openapi.json/../keys',
  '/api/v1//keys',
  '/setup/../api/v1/keys',
];
const managementPaths = operations.map(
  ({ path }) => `/api/v1${path.replaceAll('{path}', 'a/b').replaceAll(/\{[^}]+\}/g, 'x')}`,
);
const open = new Set([
  'HEAD /',
  'GET /healthz',
  'HEAD /healthz',
  'GET /readyz',
  'HEAD /readyz',
  'GET /api/v1/openapi.json',
]);

/** Each path with each method under one credential; gives those that were not refused. */
async function walk(
  paths: readonly string[],
  key: string | undefined,
  isRefused: (status: number) => boolean,
): Promise<readonly string[]> {
  const asked = [...new Set(paths)].flatMap((path) => methods.map((method) => ({ method, path })));
  const through: string[] = [];
  for (let i = 0; i < asked.length; i += 16) {
    const some = asked.slice(i, i + 16);
    const statuses = await Promise.all(
      some.map(async ({ method, path }) => {
        const body = method === 'GET' || method === 'HEAD' ? undefined : '{"model":"m","messages":[]}';
        return (await running.call({ method, path, key, ...(body === undefined ? { body: '' } : { body }) }))
          .status;
      }),
    );
    for (const [j, { method, path }] of some.entries()) {
      const status = statuses[j] ?? 0;
      if (!isRefused(status) && !open.has(`${method} ${path}`)) through.push(`${status} ${method} ${path}`);
    }
  }
  return through;
}

const everything = [
  ...prefixed,
  ...twisted,
  ...managementPaths,
  '/',
  '/metrics',
  '/setup',
  '/healthz',
  '/readyz',
];
/** Not found and wrong method say nothing of an organization; all else must be 401. */
const refusesAnonymous = (status: number): boolean => status === 401 || status === 404 || status === 405;

test('CVE-2026-59822: no path × method serves a request without a credential', async () => {
  const before = running.provider.dispatched();
  assert.deepEqual(await walk(everything, undefined, refusesAnonymous), []);
  assert.equal(running.provider.dispatched(), before);
});

test('no path × method serves an unknown key, a mistyped one or one with another secret', async () => {
  const before = running.provider.dispatched();
  const { modelsKey } = running;
  const mistyped = `${modelsKey.slice(0, -1)}${modelsKey.endsWith('a') ? 'b' : 'a'}`;
  const bad = ['csk_nonsense', mistyped, 'null', 'undefined', 'sk-fake-provider-key', 'e30.e30.e30'];
  const some = [
    '/v1/chat/completions',
    '/v1/messages',
    '/v1/models',
    '/providers/fake/v1/files',
    '/api/v1/keys',
  ];
  for (const key of bad) assert.deepEqual(await walk(some, key, refusesAnonymous), [], key);
  assert.equal(running.provider.dispatched(), before);
});

test('every operation of the contract answers 401 to nobody, and to a models key', async () => {
  for (const { method, path } of operations) {
    const target = `/api/v1${path.replaceAll('{path}', 'a/b').replaceAll(/\{[^}]+\}/g, 'x')}`;
    const body = method === 'GET' ? '' : '{}';
    for (const key of [undefined, running.modelsKey]) {
      const answer = await running.call({ method, path: target, key, body });
      assert.equal(answer.status, 401, `${method} ${path}`);
    }
  }
});

test('a management key reaches no model, whatever the path and the method', async () => {
  const before = running.provider.dispatched();
  assert.deepEqual(
    await walk([...prefixed, ...twisted], running.managementKey, (s) => s >= 401 && s <= 405),
    [],
  );
  assert.equal(running.provider.dispatched(), before);
});

/** Writes bytes to the server and gives what comes back until it closes, or until `ms` have passed. */
function talk(text: string, ms = 1_500): Promise<{ readonly answer: string; readonly took: number }> {
  const { hostname, port } = new URL(running.url);
  const started = performance.now();
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answer, took: performance.now() - started });
    };
    const timer = setTimeout(end, ms);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', end);
    socket.on('close', end);
  });
}

test('a WebSocket is refused at once on every path, with and without a credential (Codex), and no offer opens a tunnel', async () => {
  for (const path of ['/v1/responses', '/v1/realtime', '/api/v1/keys', '/', '/providers/fake/v1/realtime']) {
    for (const credential of ['', `Authorization: Bearer ${running.modelsKey}\r\n`]) {
      const { answer, took } = await talk(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${credential}` +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      );
      assert.match(answer, /^HTTP\/1\.1 426 /);
      assert.ok(took < 500, `${Math.round(took)} ms`);
    }
  }
  // Nothing that follows an offer of HTTP/2 is read: neither as frames nor as another request.
  const { answer, took } = await talk(
    'GET /api/v1/keys HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n' +
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
  );
  assert.match(answer, /^HTTP\/1\.1 401 [\s\S]*connection: close/i);
  assert.equal(answer.split('HTTP/1.1 ').length, 2, answer);
  assert.ok(took < 500, 'the server ends the connection');
  const tunnel = await talk('CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com\r\n\r\n');
  assert.doesNotMatch(tunnel.answer, /^HTTP\/1\.1 2/);
});

test('GHSA-4xpc-pv4p-pm3w: neither the Host header nor an absolute target changes who is let in', async () => {
  for (const head of [
    'GET http://localhost/v1/models HTTP/1.1\r\nHost: localhost',
    'GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1',
    'GET /api/v1/keys HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: localhost\r\nX-Original-URL: /healthz',
    'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Original-URL: /api/v1/keys\r\nX-Rewrite-URL: /api/v1/keys',
  ]) {
    const { answer } = await talk(`${head}\r\nConnection: close\r\n\r\n`);
    assert.ok(!answer.includes('key_') && !answer.includes('"data"'), answer.slice(0, 300));
  }
});

test('requests that could be read in two ways are refused (request smuggling)', async () => {
  const before = running.provider.dispatched();
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${running.modelsKey}\r\n`;
  for (const rest of [
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n',
    'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    'Content-Length : 2\r\n\r\n{}',
  ]) {
    const { answer } = await talk(head + rest, 800);
    assert.match(answer, /^HTTP\/1\.1 400 /);
  }
  assert.equal(running.provider.dispatched(), before);
});
