// Tests that a reader is watched once however often it makes us wait, and is left when it takes nothing.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { matchEndpoint } from '@countersign/core/dialects/endpoints';
import { makeRequestId } from '@countersign/core/ids';
import { createReply } from './reply.ts';

const idleMs = 200;

/** Serves one request whose client reads nothing; gives its response. */
async function withResponse(use: (response: ServerResponse) => Promise<void>): Promise<void> {
  const served = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => served.resolve(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const client = connect(address.port, '127.0.0.1').on('error', () => undefined);
  try {
    client.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n');
    await use(await served.promise);
  } finally {
    client.destroy();
    server.close();
  }
}

const match = matchEndpoint('POST', '/v1/chat/completions');

test('a reader that makes us wait often is watched by one listener, and left after its time', async () => {
  await withResponse(async (response) => {
    assert.ok(match.kind === 'endpoint');
    const requestId = makeRequestId(1, new Uint8Array(10));
    const reply = createReply(response, match.endpoint, requestId, idleMs);
    const before = response.listenerCount('timeout');
    reply.head(200, ['content-type', 'text/plain']);
    for (let waits = 0; waits < 20; waits += 1) reply.onDrain(() => undefined);
    assert.equal(response.listenerCount('timeout'), before + 1);
    const started = performance.now();
    reply.write(Buffer.alloc(64 * 1024 * 1024));
    await once(response, 'close');
    assert.ok(performance.now() - started < 20 * idleMs);
    assert.ok(reply.isGone());
  });
});
