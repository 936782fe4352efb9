// Tests plain connections over TLS, where nothing is out at once: answers in order, hand-over, and counts that end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  becomes,
  plain,
  rawClient,
  startPlainServer,
} from '@countersign/server/platform/http1/plain-server.support';
import { selfSigned } from '../support/certificate.ts';

test('over TLS requests are answered in order both ways, and their exchanges end', async () => {
  const own = selfSigned();
  const server = await startPlainServer({}, own);
  const client = await rawClient(server.port, { ca: own.cert });
  const paths = ['/a', '/large/3000000', '/stream/300/2000', '/status/204', '/b'];
  for (let round = 0; round < 3; round += 1) client.send(paths.map((path) => plain(path, 'x')).join(''));
  const answers = await client.first(15);
  const lengths = [4, 3_000_000, 600_000, 0, 4];
  assert.deepEqual(
    answers.map(({ body }) => body.length),
    [...lengths, ...lengths, ...lengths],
  );
  assert.ok(answers.every(({ head }) => head.includes('x-way: plain')));
  client.send(plain('/c', 'y', 'X-A: 1\r\nX-A: 2\r\n') + plain('/large/200000', 'x'));
  assert.deepEqual(
    (await client.first(17)).slice(15).map(({ body }) => body.length),
    [4, 200_000],
  );
  await becomes(() => server.running() === 0, 'all exchanges end');
  client.socket.destroy();
  const leaver = await rawClient(server.port, { ca: own.cert, isDeaf: true });
  leaver.send(plain('/large/30000000', 'x'));
  await becomes(() => server.running() === 1, 'it is served');
  leaver.socket.destroy();
  await becomes(() => server.running() === 0, 'it has ended');
  await server.close();
});
