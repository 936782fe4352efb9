// Tests that requests on one connection are answered once each and in order, whoever of the two parsers reads them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type PlainServer, plain, rawClient, startPlainServer } from './plain-server.support.ts';

let server: PlainServer;
before(async () => {
  server = await startPlainServer();
});
after(async () => {
  assert.equal(server.running(), 0, 'each exchange that began has ended');
  await server.close();
});

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const chunked = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

test('a connection carries many plain requests, one after the other', async () => {
  const client = await rawClient(server.port);
  for (let i = 0; i < 200; i += 1) {
    client.send(plain(`/a${i}`, `body ${i}`));
    const answer = (await client.first(i + 1)).at(-1);
    assert.equal(answer?.body, `/a${i} body ${i}`);
    assert.match(answer?.head ?? '', /x-way: plain/);
  }
  client.socket.destroy();
});

for (const count of [2, 50])
  test(`${count} requests in one chunk are answered in order`, async () => {
    const client = await rawClient(server.port);
    const all = Array.from({ length: count }, (_, i) => plain(`/p${i}`, 'x'.repeat(i)));
    client.send(all.join(''));
    const answers = await client.first(count);
    assert.deepEqual(
      answers.map(({ body }) => body),
      all.map((_, i) => `/p${i} ${'x'.repeat(i)}`),
    );
    assert.ok(answers.every(({ head }) => head.includes('x-way: plain')));
    client.socket.destroy();
  });

test('of requests in one chunk some are plain: all are answered in order, from the first that is not by Node', async () => {
  const client = await rawClient(server.port);
  const kinds = [
    plain('/1', 'one'),
    plain('/2', 'two'),
    chunked('/3', 'three'),
    plain('/4', 'four'),
    get('/5'),
    plain('/6', 'six'),
  ];
  client.send(kinds.join(''));
  const answers = await client.first(6);
  const texts = ['/1 one', '/2 two', '/3 three', '/4 four', '/5 ', '/6 six'];
  assert.deepEqual(
    answers.map(({ body }) => body),
    texts,
  );
  const ways = answers.map(({ head }) => /x-way: (\w+)/.exec(head)?.[1]);
  assert.deepEqual(ways, ['plain', 'plain', 'node', 'node', 'node', 'node']);
  client.send(plain('/7', 'seven'));
  assert.equal((await client.first(7)).at(-1)?.body, '/7 seven');
  client.socket.destroy();
});

test('a request that comes in two pieces, cut anywhere, is answered as one that comes whole', async () => {
  const whole = plain('/cut', 'the body', 'X-A: b\r\n');
  const headEnd = whole.indexOf('\r\n\r\n') + 4;
  const byNode: number[] = [];
  const tries = Array.from({ length: whole.length - 1 }, async (_, i) => {
    const client = await rawClient(server.port);
    client.send(whole.slice(0, i + 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.send(whole.slice(i + 1) + plain('/next', 'n'));
    const [one, two] = await client.first(2);
    assert.equal(one?.body, '/cut the body', `cut at ${i + 1}`);
    assert.equal(two?.body, '/next n', `cut at ${i + 1}`);
    // Where the machine is busy, both pieces may come with one read.
    if (one.head.includes('x-way: node')) byNode.push(i + 1);
    client.socket.destroy();
  });
  await Promise.all(tries);
  assert.ok(byNode.length > 0 && byNode.every((cut) => cut < headEnd), String(byNode));
});

test('a request that comes byte for byte is answered, and so is the one after it', async () => {
  const client = await rawClient(server.port);
  client.socket.setNoDelay(true);
  for (const letter of plain('/drip', 'abc') + plain('/then', 'd')) {
    client.send(letter);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(
    (await client.first(2)).map(({ body }) => body),
    ['/drip abc', '/then d'],
  );
  client.socket.destroy();
});

test('a connection goes from plain to not plain between requests, and after an answer that is still being written', async () => {
  const client = await rawClient(server.port);
  client.send(plain('/a', 'one'));
  await client.first(1);
  client.send(get('/b'));
  await client.first(2);
  client.send(plain('/c', 'three'));
  await client.first(3);
  const other = await rawClient(server.port, { isDeaf: true });
  other.send(plain('/large/30000000', 'x') + get('/after'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  let length = 0;
  let last = '';
  other.socket.on('data', (part: Buffer) => {
    length += part.length;
    last = (last + part.toString('latin1')).slice(-200);
  });
  await new Promise<void>((resolve) => {
    other.socket.on('data', () => last.endsWith('/after ') && resolve());
  });
  assert.ok(length > 30_000_000);
  assert.match(last, /^x+HTTP\/1\.1 200 OK\r\n/);
  client.socket.destroy();
  other.socket.destroy();
});

test('a path that is nobody’s is given back with its body, once', async () => {
  const client = await rawClient(server.port);
  const before = server.served().length;
  client.send(plain('/not-plain', 'body') + plain('/p', 'q'));
  assert.deepEqual(
    (await client.first(2)).map(({ body }) => body),
    ['/not-plain body', '/p q'],
  );
  assert.deepEqual(server.served().slice(before), ['node /not-plain', 'node /p']);
  client.socket.destroy();
});

test('answers of every form come whole: no body, 204, 304, large, many pieces, and nothing of one in the next', async () => {
  const client = await rawClient(server.port);
  const paths = ['/status/204', '/status/304', '/status/200', '/large/0', '/large/65536', '/large/3000000'];
  const streams = ['/stream/0/0', '/stream/5000/7', '/stream/20/100000', '/stream/3/65536'];
  for (const path of [...paths, ...streams])
    client.send(plain(path, 'x'.repeat(10)) + plain(`/mark${path}`, ''));
  const answers = await client.first(2 * (paths.length + streams.length));
  const lengths = answers.filter((_, i) => i % 2 === 0).map(({ body }) => body.length);
  assert.deepEqual(lengths, [0, 0, 0, 0, 65_536, 3_000_000, 0, 35_000, 2_000_000, 196_608]);
  for (const [i, path] of [...paths, ...streams].entries())
    assert.equal(answers[2 * i + 1]?.body, `/mark${path} `);
  assert.ok(answers.every(({ head }) => head.includes('x-way: plain')));
  client.socket.destroy();
});

test('heads of answers are those of Node, to the byte, but for who answered', async () => {
  for (const path of ['/a', '/status/204', '/status/304', '/status/200', '/stream/3/5', '/large/100000']) {
    const both = await Promise.all(
      ['', 'X-A: 1\r\nX-a: 2\r\n'].map(async (more) => {
        const client = await rawClient(server.port);
        client.send(plain(path, 'b', more));
        await client.first(1);
        client.socket.destroy();
        return client
          .bytes()
          .toString('latin1')
          .replace(/^Date: .*$/m, 'Date')
          .replace('x-way: node', 'x-way: plain');
      }),
    );
    assert.equal(both[0], both[1]);
  }
});

test('of a flood of requests behind an answer that waits, no more is taken than a read or two', async () => {
  const client = await rawClient(server.port);
  client.send(plain('/wait', 'x'));
  const flood = plain('/f', 'y'.repeat(1_000)).repeat(20_000);
  client.send(flood);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(client.socket.writableLength > 1_000_000, 'what the server does not take waits at its client');
  assert.equal(server.waits(), 1);
  server.release();
  await client.first(20_001);
  client.socket.destroy();
});
