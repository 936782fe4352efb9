// Tests how plain connections end: limits, clients that leave or take nothing, refusals before the body, and a drain.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PlainOptions } from './plain-connections.ts';
import type { PlainExchange } from './plain-exchange.ts';
import { becomes, type PlainServer, plain, rawClient, startPlainServer } from './plain-server.support.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function start(t: TestContext, options: Partial<PlainOptions> = {}): Promise<PlainServer> {
  const server = await startPlainServer(options);
  t.after(async () => {
    await server.close();
    await becomes(() => server.running() === 0, 'each exchange that began ends');
  });
  return server;
}

const notPlain = 'X-A: 1\r\nx-a: 2\r\n';
const openBody = (path: string, more: string): string => plain(path, 'x'.repeat(100), more).slice(0, -50);
const leavers: readonly (readonly [string, (more: string) => string])[] = [
  ['within the body', (more) => openBody('/a', more)],
  ['while the answer is awaited', (more) => plain('/wait', 'b', more)],
  ['behind two requests', (more) => plain('/wait', 'b', more) + plain('/wait', 'b', more)],
];
for (const [name, request] of leavers)
  test(`who sends no more ${name} gets what Node gives them`, async (t) => {
    const server = await start(t);
    const [plainly, byNode] = await Promise.all(
      ['', notPlain].map(async (more) => {
        const client = await rawClient(server.port);
        client.socket.end(request(more), 'latin1');
        await client.closed;
        return client.bytes().toString('latin1');
      }),
    );
    assert.equal(plainly, byNode);
    await becomes(() => server.running() === 0, 'the exchange ends');
  });

test('who sends no more between requests is closed to', async (t) => {
  const server = await start(t);
  const client = await rawClient(server.port);
  client.send(plain('/a', 'b'));
  await client.first(1);
  client.socket.end();
  await client.closed;
});

test('a connection that is reset, after any byte of a request, leaves nothing behind', async (t) => {
  const server = await start(t);
  const whole = plain('/wait', 'the body') + plain('/b', 'c');
  await Promise.all(
    Array.from({ length: whole.length }, async (_, i) => {
      const client = await rawClient(server.port);
      client.send(whole.slice(0, i + 1));
      await pause(10);
      client.socket.resetAndDestroy();
      await client.closed;
    }),
  );
  await becomes(() => server.running() === 0, 'all exchanges end');
  const plainly = server.served().filter((line) => line.startsWith('plain')).length;
  assert.equal(server.gone(), plainly, 'each that was served hears that its client went');
  const client = await rawClient(server.port);
  client.send(plain('/still', 'there'));
  assert.equal((await client.first(1))[0]?.body, '/still there');
  client.socket.destroy();
});

const slow = /^HTTP\/1\.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n$/;

test('a connection that sends nothing, and a body that takes too long, are answered by 408 and closed', async (t) => {
  const server = await start(t, { headMs: 500, wholeMs: 500 });
  const silent = await rawClient(server.port);
  const dripping = await rawClient(server.port);
  dripping.send(openBody('/a', ''));
  const drip = setInterval(() => dripping.send('x'), 100);
  await Promise.all([silent.closed, dripping.closed]);
  clearInterval(drip);
  assert.match(silent.bytes().toString(), slow);
  assert.match(dripping.bytes().toString(), slow);
  assert.equal(server.running(), 0);
});

test('a connection without a request is closed after a while, and one with a request is not', async (t) => {
  const server = await start(t, { idleMs: 500, wholeMs: 500, headMs: 500 });
  const idle = await rawClient(server.port);
  const busy = await rawClient(server.port);
  idle.send(plain('/a', 'b'));
  busy.send(plain('/wait', 'b'));
  await idle.first(1);
  await idle.closed;
  await pause(1_500);
  server.release();
  assert.equal((await busy.first(1))[0]?.body, 'waited');
  busy.socket.destroy();
});

for (const path of ['/large/30000000', '/stream/100000/300'])
  test(`a client that takes nothing of its answer is let go after a while: ${path}`, async (t) => {
    const server = await start(t);
    const client = await rawClient(server.port, { isDeaf: true });
    client.send(plain(path, 'b') + plain('/next', 'c'));
    await becomes(() => server.running() === 1, 'it is served');
    await pause(100);
    assert.equal(server.running(), 1, 'an answer that waits here still counts');
    await becomes(() => server.running() === 0, 'it is let go');
    assert.ok(
      !server.served().includes('plain /next'),
      'nothing is begun behind an answer that nobody takes',
    );
  });

test('a refusal before the body ends the connection: what follows is neither read nor served', async (t) => {
  const server = await start(t);
  const client = await rawClient(server.port);
  client.send(openBody('/refuse', ''));
  const [answer] = await client.first(1);
  assert.equal(answer?.status, 401);
  assert.match(answer.head, /^Connection: close$/m);
  client.send(plain('/smuggled', ''));
  await client.closed;
  assert.deepEqual(server.served(), ['plain /refuse']);
});

test('the rest of a body that was refused while it came is no request, however long its answer takes to leave', async (t) => {
  const served: string[] = [];
  const refuse = (exchange: PlainExchange): void => {
    exchange.head(400, ['content-length', '20000000']);
    exchange.end(Buffer.alloc(20_000_000, 'x'), 2_000);
  };
  const server = await start(t, {
    serve(exchange) {
      served.push(exchange.target);
      exchange.readBody({ onPart: () => setImmediate(refuse, exchange), onWhole() {}, onTorn() {} });
      return true;
    },
  });
  const client = await rawClient(server.port, { isDeaf: true });
  client.send(`${plain('/late', '').replace('Length: 0', 'Length: 100')}0123`);
  await pause(50);
  client.send('4567');
  await pause(50);
  for (let i = 0; i < 5; i += 1) {
    client.send(plain('/smuggled', 'x'));
    await pause(20);
  }
  client.socket.resume();
  await client.closed;
  assert.deepEqual(served, ['/late']);
});

test('a body is not taken before it is asked for', async (t) => {
  const server = await start(t);
  const client = await rawClient(server.port);
  client.send(`POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n`);
  const before = process.memoryUsage().arrayBuffers;
  client.send('x'.repeat(900_000));
  await pause(200);
  assert.deepEqual(server.served(), ['plain /unread']);
  assert.ok(process.memoryUsage().arrayBuffers - before < 500_000);
  client.socket.destroy();
});

test('once the server drains each answer ends its connection, and an answer that waits here still counts', async (t) => {
  const server = await start(t);
  const [early, late, deaf] = await Promise.all([
    rawClient(server.port),
    rawClient(server.port),
    rawClient(server.port, { isDeaf: true }),
  ]);
  early.send(plain('/wait', 'b'));
  deaf.send(plain('/large/20000000', 'b'));
  await becomes(() => server.running() === 2, 'both are served');
  server.drain();
  server.closeIdle();
  await late.closed;
  server.release();
  assert.match((await early.first(1))[0]?.head ?? '', /^Connection: close$/m);
  await early.closed;
  assert.equal(server.running(), 1);
  let length = 0;
  deaf.socket.on('data', (part: Buffer) => {
    length += part.length;
  });
  await becomes(() => server.running() === 0, 'the last answer is out');
  assert.ok(length > 10_000_000, 'what the kernel has not taken is not out');
});

test('a value with a line end is refused before anything of the head is kept, and the answer after it is whole', async (t) => {
  const errors: unknown[] = [];
  const server = await start(t, {
    serve(exchange) {
      for (const value of ['a\r\nX-Evil: 1', 'a\nb', 'a\0b', 'Ā'])
        try {
          exchange.head(200, ['x-a', value]);
        } catch (error) {
          errors.push(error);
        }
      assert.equal(exchange.hasHead(), false);
      exchange.head(500, ['content-length', '0']);
      exchange.end(undefined, 1_000);
      exchange.end(Buffer.from('again'), 1_000);
      exchange.write(Buffer.from('again'));
      return true;
    },
  });
  const client = await rawClient(server.port);
  client.send(plain('/a', 'b') + plain('/c', 'd'));
  const answers = await client.first(2);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [500, 500],
  );
  assert.ok(!client.bytes().includes('again') && !client.bytes().includes('Evil'));
  assert.ok(errors.length === 8 && errors.every((error) => error instanceof TypeError));
  client.socket.destroy();
});
