// Owns the claims about the free list: last in first out, no dead connections, no cap on those in use, an end.

import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type ClientPool,
  type ClientPoolOptions,
  openClientPool,
  type PooledConnection,
} from './client-pool.ts';
import { createEgress } from './egress.ts';

const egress = createEgress({ allow: ['127.0.0.1'] });
const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx';

/** A server that gives each request the same answer, and the requests that each of its connections has brought. */
async function listen(t: TestContext, says: string = answer) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).on('data', () => socket.write(says));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { origin: `http://127.0.0.1:${address.port}`, sockets };
}

function open(t: TestContext, options: Partial<ClientPoolOptions> = {}) {
  const pool = openClientPool({ egress, ...options });
  t.after(() => pool.close());
  return pool;
}

type Taken = {
  readonly connection: PooledConnection;
  readonly ready: Promise<void>;
  /** Sends a request and waits for the whole answer; rejects with what broke it. */
  readonly exchange: () => Promise<void>;
};

function take(pool: ClientPool, origin: string): Taken {
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => undefined);
  const connection = pool.acquire(origin, 1_000, {
    onReady: () => ready.resolve(),
    onHead: () => true,
    onBody: () => true,
    onComplete: () => ended.resolve(),
    onBroken(error) {
      ready.resolve();
      ended.reject(error);
    },
  });
  const exchange = async (): Promise<void> => {
    await ready.promise;
    connection.write('GET', { first: 'GET / HTTP/1.1\r\n', headers: ['host', 'x'], last: '\r\n' }, null);
    await ended.promise;
  };
  return { connection, ready: ready.promise, exchange };
}

/** Two connections that had an exchange each and are idle: the second was given back last. */
async function twoIdle(pool: ClientPool, origin: string) {
  const [a, b] = [take(pool, origin), take(pool, origin)];
  await Promise.all([a.exchange(), b.exchange()]);
  a.connection.release();
  b.connection.release();
  return { a: a.connection, b: b.connection };
}

test('the connection given back last goes out first, to its own origin only', async (t) => {
  const [{ origin }, other] = [await listen(t), await listen(t)];
  const pool = open(t);
  const { a, b } = await twoIdle(pool, origin);
  assert.notEqual(a, b);
  assert.notEqual(take(pool, other.origin).connection, b);
  assert.equal(take(pool, origin).connection, b);
  assert.equal(take(pool, origin).connection, a);
});

test('a connection that was given back twice goes out once', async (t) => {
  const { origin } = await listen(t);
  const pool = open(t);
  const a = take(pool, origin);
  await a.exchange();
  a.connection.release();
  a.connection.release();
  assert.equal(take(pool, origin).connection, a.connection);
  assert.notEqual(take(pool, origin).connection, a.connection);
});

test('a connection that died in use or while idle does not go out again', async (t) => {
  const { origin } = await listen(t);
  const pool = open(t);
  const a = take(pool, origin);
  await a.exchange();
  a.connection.destroy();
  a.connection.release();
  const { a: c, b: d } = await twoIdle(pool, origin);
  d.destroy();
  assert.equal(take(pool, origin).connection, c);
  assert.ok(![a.connection, c, d].includes(take(pool, origin).connection));
});

test('connections in use have no cap, and those idle over the cap are closed', async (t) => {
  const { origin, sockets } = await listen(t);
  const pool = open(t, { maxIdle: 2 });
  const out = Array.from({ length: 50 }, () => take(pool, origin));
  await Promise.all(out.map((one) => one.exchange()));
  assert.equal(sockets.length, 50);
  for (const { connection } of out) connection.release();
  await wait(50);
  assert.equal(sockets.filter((socket) => !socket.destroyed).length, 2);
});

test('a connection that is idle for long is closed, one in use is not', async (t) => {
  const { origin, sockets } = await listen(t);
  const pool = open(t, { idleMs: 60 });
  const [idle, used] = [take(pool, origin), take(pool, origin)];
  await Promise.all([idle.exchange(), used.exchange()]);
  idle.connection.release();
  await wait(200);
  assert.equal(sockets.filter((socket) => !socket.destroyed).length, 1);
  used.connection.release();
  assert.equal(take(pool, origin).connection, used.connection);
});

for (const [says, isKept] of [
  ['keep-alive: timeout=2', false],
  ['keep-alive: timeout=3, max=100', true],
  ['Keep-Alive: max=5, Timeout=9', true],
  ['connection: close', false],
  ['connection: x, Close', false],
  ['x: y', true],
] as const) {
  test(`a server that says \`${says}\` ${isKept ? 'is' : 'is not'} asked again on the same connection`, async (t) => {
    const { origin } = await listen(t, answer.replace('\r\n\r\n', `\r\n${says}\r\n\r\n`));
    const pool = open(t);
    const a = take(pool, origin);
    await a.exchange();
    a.connection.release();
    assert.equal(take(pool, origin).connection === a.connection, isKept);
  });
}

/** Turns of the event loop, each with a look at the sockets. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

test('a connection may be written to once the loop has looked at its socket since it became idle', async (t) => {
  const { origin } = await listen(t);
  const pool = open(t);
  await twoIdle(pool, origin);
  await turns(3);
  const isReadyWithin = async ({ ready }: Taken, others: number): Promise<boolean> => {
    let isReady = false;
    void ready.then(() => {
      isReady = true;
    });
    for (let turn = 0; turn < others; turn += 1) await Promise.resolve();
    return isReady;
  };
  const rested = take(pool, origin);
  assert.ok(await isReadyWithin(rested, 5), 'it had rested, and was made to wait');
  await rested.exchange();
  const [first, second] = [take(pool, origin), take(pool, origin)];
  await Promise.all([first.exchange(), second.exchange()]);
  first.connection.release();
  await turns(3);
  second.connection.release();
  // The one that has just been given back is passed over for the one that has rested.
  const next = take(pool, origin);
  assert.equal(next.connection, first.connection);
  assert.ok(await isReadyWithin(next, 5));
  const last = take(pool, origin);
  assert.equal(last.connection, second.connection);
  assert.equal(await isReadyWithin(last, 5), false, 'nobody has looked whether something came');
  await last.ready;
});

test('what arrives between two exchanges closes the connection and is nobody’s answer', async (t) => {
  const { origin, sockets } = await listen(t);
  const pool = open(t);
  const a = take(pool, origin);
  await a.exchange();
  a.connection.release();
  sockets[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil');
  await wait(30);
  const b = take(pool, origin);
  await b.exchange();
  assert.notEqual(b.connection, a.connection);
});

test('a connection whose end is noticed when it was taken already is replaced before the request', async (t) => {
  const { origin, sockets } = await listen(t);
  const pool = open(t);
  const a = take(pool, origin);
  await a.exchange();
  a.connection.release();
  await new Promise<void>((resolve) => {
    sockets[0]?.once('close', resolve).destroy();
  });
  const b = take(pool, origin);
  await b.exchange();
  assert.equal(sockets.length, 2);
});

test('a closed pool has closed its connections, told their users, and gives out none', async (t) => {
  const { origin, sockets } = await listen(t);
  const pool = open(t);
  const { a } = await twoIdle(pool, origin);
  const used = take(pool, origin);
  await used.ready;
  await pool.close();
  await wait(30);
  assert.deepEqual(
    sockets.map((socket) => socket.destroyed),
    [true, true],
  );
  await assert.rejects(used.exchange(), /closed/);
  a.release();
  assert.throws(() => take(pool, origin), /closed/);
});

test('one connection carries one exchange after the other, and forbidden origins none', async (t) => {
  const { origin, sockets } = await listen(t);
  const pool = open(t);
  for (let round = 0; round < 3; round += 1) {
    const { connection, exchange } = take(pool, origin);
    await exchange();
    connection.release();
  }
  assert.equal(sockets.length, 1);
  await assert.rejects(take(pool, 'https://10.0.0.1').exchange(), { kind: 'forbidden' });
  assert.throws(() => take(pool, 'nowhere'));
});
