// Owns the claims about providers that misbehave: silence, resets, garbage, each ends the call once and its connection.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { exchange, post, shortTimeouts, sleep, streamHead, withTcp } from './fake-provider.support.ts';

test('a provider that takes the request and stays silent is a first-byte time-out', async () => {
  await withTcp(
    () => undefined,
    async ({ upstream, pool }) => {
      const { error } = await exchange(upstream, post('/v1/x', '{}'));
      assert.equal(error?.kind, 'timeout_first_byte');
      assert.equal(error?.requestSent, true);
      assert.equal(error?.beforeHeaders, true);
      assert.equal(pool.counts.destroyed, 1);
    },
  );
});

test('headers that drip do not prolong the wait for the first byte', async () => {
  const drip = (socket: Socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket.write('x: y\r\n'), 50);
    socket.on('close', () => clearInterval(timer));
  };
  await withTcp(drip, async ({ upstream }) => {
    assert.equal((await exchange(upstream, post('/v1/x', '{}'))).error?.kind, 'timeout_first_byte');
  });
});

test('interim answers are swallowed, but not without end', async () => {
  const endless = (socket: Socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 5);
    socket.on('close', () => clearInterval(timer));
  };
  await withTcp(endless, async ({ upstream }) => {
    assert.equal((await exchange(upstream, post('/v1/x', '{}'))).error?.kind, 'invalid');
  });
  const one = (socket: Socket) => {
    socket.write('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  };
  await withTcp(one, async ({ upstream }) => {
    const answer = await exchange(upstream, post('/v1/x', '{}'));
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'ok');
  });
});

test('fault 13: silence within a stream is an idle time-out, after what had come', async () => {
  await withTcp(
    (socket) => socket.write(`${streamHead}5\r\nhello\r\n`),
    async ({ upstream }) => {
      const began = performance.now();
      const answer = await exchange(upstream, post('/v1/x', '{}'));
      assert.equal(answer.body, 'hello');
      assert.equal(answer.error?.kind, 'timeout_idle');
      assert.equal(answer.error?.beforeHeaders, false);
      assert.ok(performance.now() - began < shortTimeouts.idleMs + 1_000);
      assert.equal(answer.endings(), 1);
    },
  );
});

test('a reset within the body ends the call once and kills the connection', async () => {
  const reset = (socket: Socket) => {
    socket.write(`${streamHead}5\r\nhello\r\n`);
    setTimeout(() => socket.resetAndDestroy(), 30);
  };
  await withTcp(reset, async ({ upstream, pool }) => {
    const answer = await exchange(upstream, post('/v1/x', '{}'));
    await sleep(20);
    assert.equal(answer.error?.kind, 'unreachable');
    assert.equal(answer.error?.beforeHeaders, false);
    assert.equal(answer.endings(), 1);
    assert.equal(pool.counts.destroyed, 1);
  });
});

test('a body shorter than its length is an error, not an end', async () => {
  const short = (socket: Socket) => {
    socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 10\r\n\r\nhello');
  };
  await withTcp(short, async ({ upstream }) => {
    assert.equal((await exchange(upstream, post('/v1/x', '{}'))).error?.kind, 'invalid');
  });
});

const refused: readonly (readonly [string, string])[] = [
  ['bytes that are not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['HTTP/2 without having agreed on it', '\x00\x00\x12\x04\x00\x00\x00\x00\x00'],
  ['two lengths that differ', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
  [
    'a length beside chunks',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a chunk whose size is no number', `${streamHead}zz\r\nhello\r\n`],
  ['a header with a bare CR', 'HTTP/1.1 200 OK\r\nx: a\rb\r\ncontent-length: 0\r\n\r\n'],
  [
    'a gzip body although identity was asked for',
    'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n',
  ],
  ['a redirect', 'HTTP/1.1 307 x\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n'],
  ['an upgrade that nobody asked for', 'HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
  ['a 100 that nobody asked for', 'HTTP/1.1 100 Continue\r\n\r\n'],
];

for (const [name, bytes] of refused) {
  test(`fault 14: ${name}: the answer is invalid and its connection dies`, async () => {
    await withTcp(
      (socket) => socket.write(Buffer.from(bytes, 'latin1')),
      async ({ upstream, pool }) => {
        const answer = await exchange(upstream, post('/v1/x', '{}'));
        assert.equal(answer.error?.kind, name === 'a redirect' ? 'redirect' : 'invalid');
        assert.equal(answer.endings(), 1);
        assert.equal(pool.counts.destroyed, 1);
      },
    );
  });
}

test('fault 14: endless headers are too large', async () => {
  await withTcp(
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`),
    async ({ upstream }) => {
      assert.equal((await exchange(upstream, post('/v1/x', '{}'))).error?.kind, 'too_large');
    },
  );
});

test('bytes after an answer cannot become the next caller’s answer', async () => {
  const greedy = (socket: Socket) => {
    socket.write(
      'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil',
    );
  };
  await withTcp(greedy, async ({ upstream }) => {
    for (let round = 0; round < 3; round += 1) {
      const answer = await exchange(upstream, post('/v1/x', '{}'));
      assert.notEqual(answer.body, 'evil');
    }
  });
});
