// Claims about offers to speak another protocol: a WebSocket is refused at once, every other offer is passed over.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway } from '../../support/gateway.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

const body = JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] });

/** One request as written, and all that comes back until the server ends the connection. */
function raw(head: readonly string[], payload: string): Promise<string> {
  const { hostname, port } = new URL(running.url);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => {
      const lines = [...head, 'host: gateway.test', `content-length: ${Buffer.byteLength(payload)}`];
      socket.write(`${lines.join('\r\n')}\r\n\r\n${payload}`);
    });
    socket.setEncoding('utf8').setTimeout(5_000, () => socket.destroy(new Error(`silence after: ${text}`)));
    socket.on('data', (chunk) => {
      text += chunk;
      if (/^HTTP\/1\.1 \d+/.test(text) && text.includes('\r\n\r\n') && /\}\s*$/.test(text)) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}

/** How curl --http2 and Java's client offer HTTP/2 with a request (RFC 7540 section 3.2). */
const h2c = [
  'connection: Upgrade, HTTP2-Settings',
  'upgrade: h2c',
  'http2-settings: AAMAAABkAARAAAAAAAIAAAAA',
] as const;
const post = ['POST /v1/chat/completions HTTP/1.1', 'content-type: application/json'] as const;

test('an offer of HTTP/2 is passed over: the request is answered as it is (RFC 9110 section 7.8)', async () => {
  const key = `authorization: Bearer ${running.modelsKey}`;
  const answer = await raw([...post, key, ...h2c], body);
  assert.match(answer, /^HTTP\/1\.1 200 OK/);
  assert.match(answer, /x-countersign-record: /i);
  assert.match(answer, /"finish_reason":"stop"/);
});

test('an offer of HTTP/2 opens nothing: without a credential it is 401 as without the offer', async () => {
  const answer = await raw([...post, ...h2c], body);
  assert.match(answer, /^HTTP\/1\.1 401 /);
});

test('a WebSocket is refused with 426 at once, in any spelling and beside other offers', async () => {
  for (const offered of ['websocket', 'WebSocket', 'h2c, websocket', 'websocket/13']) {
    const head = ['GET /v1/responses HTTP/1.1', 'connection: Upgrade', `upgrade: ${offered}`];
    assert.match(await raw(head, ''), /^HTTP\/1\.1 426 /, offered);
  }
});
