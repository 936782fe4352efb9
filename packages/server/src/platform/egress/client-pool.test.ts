// Owns the claims about the free list: last in first out, no dead clients, no cap on those in use, an end.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
// Its index gives clients the methods by which these tests ask; the data plane only dispatches.
import 'undici';
import { type ClientPoolOptions, openClientPool } from './client-pool.ts';
import { createEgress } from './egress.ts';

const egress = createEgress({ allow: ['127.0.0.1'] });
const origin = 'http://127.0.0.1:9';

function open(t: TestContext, options: Partial<ClientPoolOptions> = {}) {
  const pool = openClientPool({ egress, ...options });
  t.after(() => pool.close());
  return pool;
}

test('the client given back last goes out first, to its own origin only', (t) => {
  const pool = open(t);
  const [a, b] = [pool.acquire(origin, 100), pool.acquire(origin, 100)];
  assert.notEqual(a.client, b.client);
  a.release();
  b.release();
  assert.notEqual(pool.acquire('http://127.0.0.1:10', 100).client, b.client);
  assert.equal(pool.acquire(origin, 100).client, b.client);
  assert.equal(pool.acquire(origin, 100).client, a.client);
});

test('a client that was given back twice goes out once', (t) => {
  const pool = open(t);
  const a = pool.acquire(origin, 100);
  a.release();
  a.release();
  assert.equal(pool.acquire(origin, 100).client, a.client);
  a.release();
  assert.notEqual(pool.acquire(origin, 100).client, a.client);
});

test('a client that died in use or while idle does not go out again', async (t) => {
  const pool = open(t);
  const [a, b] = [pool.acquire(origin, 100), pool.acquire(origin, 100)];
  await a.client.destroy();
  a.release();
  b.release();
  await b.client.destroy();
  const c = pool.acquire(origin, 100);
  assert.equal(c.client.destroyed, false);
});

test('clients in use have no cap, and those idle over the cap are destroyed', (t) => {
  const pool = open(t, { maxIdle: 2 });
  const out = Array.from({ length: 50 }, () => pool.acquire(origin, 100));
  assert.equal(new Set(out.map((one) => one.client)).size, 50);
  for (const one of out) one.release();
  assert.equal(out.filter((one) => !one.client.destroyed).length, 2);
});

test('a client that is idle for long is destroyed, one in use is not', async (t) => {
  const pool = open(t, { idleMs: 60 });
  const [idle, used] = [pool.acquire(origin, 100), pool.acquire(origin, 100)];
  idle.release();
  await wait(150);
  assert.equal(idle.client.destroyed, true);
  assert.equal(used.client.destroyed, false);
});

test('a closed pool has destroyed its clients and gives out none', async (t) => {
  const pool = open(t);
  const [idle, used] = [pool.acquire(origin, 100), pool.acquire(origin, 100)];
  idle.release();
  await pool.close();
  assert.deepEqual([idle.client.destroyed, used.client.destroyed], [true, true]);
  used.release();
  assert.throws(() => pool.acquire(origin, 100), /closed/);
});

test('one connection carries one exchange after the other, and forbidden origins none', async (t) => {
  const server = createServer((_request, response) => {
    response.end('x');
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const pool = open(t);
  for (let round = 0; round < 3; round += 1) {
    const { client, release } = pool.acquire(`http://127.0.0.1:${address.port}`, 1_000);
    const { body } = await client.request({ method: 'GET', path: '/' });
    assert.equal(await body.text(), 'x');
    release();
  }
  assert.equal(connections, 1);
  const refused = pool.acquire('https://10.0.0.1', 1_000);
  await assert.rejects(refused.client.request({ method: 'GET', path: '/' }), { kind: 'forbidden' });
});
