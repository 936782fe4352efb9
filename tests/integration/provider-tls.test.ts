// Claims about calling a provider by TLS: the same exchange, on sockets that the one dialer has checked.

import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import { after, before, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { openClientPool } from '@countersign/server/platform/egress/client-pool';
import { createEgress } from '@countersign/server/platform/egress/egress';
import { createHttpUpstream } from '@countersign/server/upstreams/providers/http';
import type { UpstreamError, UpstreamRequest } from '@countersign/server/upstreams/upstream';
import { selfSigned } from '../support/certificate.ts';

const own = selfSigned();
const sockets = new Set<TLSSocket>();
const server = createServer(own, (request, response) => {
  if (request.socket instanceof Object && 'alpnProtocol' in request.socket)
    protocols.add(request.socket.alpnProtocol);
  let length = 0;
  request.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  request.on('end', () => response.end(`${length} ${'x'.repeat(500_000)}`));
});
const protocols = new Set<unknown>();
const pool = openClientPool({ egress: createEgress({ allow: ['localhost'] }) });
const systems = getCACertificates('default');
let origin = '';

before(async () => {
  server.on('secureConnection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  origin = `https://localhost:${address.port}`;
});

after(async () => {
  await pool.close();
  server.close();
  server.closeAllConnections();
  setDefaultCACertificates(systems);
});

function post(length: number): UpstreamRequest {
  const headers = ['content-type', 'application/json', 'content-length', String(length)];
  return { method: 'POST', path: '/v1/chat/completions', headers, body: new Uint8Array(length) };
}

/** The text of the answer, read with a pause after each piece, or what went wrong. */
function call(request: UpstreamRequest): Promise<string | UpstreamError> {
  const timeouts = { connectMs: 2_000, firstByteMs: 2_000, idleMs: 2_000 };
  const upstream = createHttpUpstream({ baseUrl: origin, timeouts, pool });
  return new Promise((resolve) => {
    let text = '';
    const running = upstream.send(request, {
      onHeaders: () => undefined,
      onData(chunk) {
        text += Buffer.from(chunk).toString('latin1');
        running.pause();
        setImmediate(() => running.resume());
      },
      onEnd: () => resolve(text),
      onError: resolve,
    });
  });
}

test('a certificate that nobody vouches for is unreachable, and nothing was sent', async () => {
  const error = await call(post(2));
  assert.ok(typeof error === 'object');
  assert.deepEqual([error.kind, error.requestSent], ['unreachable', false]);
});

test('no variable of the environment makes such a certificate good', async (t) => {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  t.after(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  const error = await call(post(2));
  assert.ok(typeof error === 'object');
  assert.deepEqual([error.kind, error.requestSent], ['unreachable', false]);
});

test('requests of any size go out by TLS on one connection, and answers come back whole', async () => {
  setDefaultCACertificates([own.cert]);
  for (const length of [2, 2_000, 60_000, 3_000_000]) {
    assert.equal(await call(post(length)), `${length} ${'x'.repeat(500_000)}`);
  }
  assert.equal(sockets.size, 1);
  assert.deepEqual([...protocols], ['http/1.1']);
});
