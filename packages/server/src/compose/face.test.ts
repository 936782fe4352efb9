// Tests that a server in which a path has no guard does not start, and that an open face gets its own paths only.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { type Face, joinFaces } from './face.ts';

const serve: Face['serve'] = (request, response) => {
  response.end(`served ${request.url}`);
  return true;
};

test('a face that would serve an unlisted path to anybody does not start', () => {
  const planted: Face = { name: 'debug', guard: 'open', paths: ['/healthz', '/debug'], serve };
  assert.throws(() => joinFaces([planted]), /`debug` would serve `\/debug` to anybody/);
});

test('a path that is listed with one guard is not served with a lesser one', () => {
  const planted: Face = { name: 'setup', guard: 'open', paths: ['/setup'], serve };
  assert.throws(() => joinFaces([planted]), /`\/setup`/);
});

test('a face without a credential is asked for its own paths, byte for byte, and for no others', async () => {
  const join = joinFaces([{ name: 'health', guard: 'open', paths: ['/healthz'], serve }]);
  const server = createServer((request, response) => {
    if (!join(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const status = async (path: string) =>
      (await fetch(`http://127.0.0.1:${address.port}${path}`, { method: 'GET' })).status;
    assert.equal(await status('/healthz'), 200);
    assert.equal(await status('/healthz?x=1'), 200);
    for (const path of [
      '/healthz/',
      '/HEALTHZ',
      '/%68ealthz',
      '/v1/chat/completions',
      '/healthz/../v1/models',
    ])
      assert.equal(await status(path), 404, path);
  } finally {
    server.close();
  }
});
