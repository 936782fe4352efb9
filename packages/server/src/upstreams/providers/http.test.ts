// Owns the claims about one HTTP exchange with a provider, against real local servers.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { openClientPool } from '../../platform/egress/client-pool.ts';
import {
  createTestPool,
  exchange,
  listenHttp,
  listenTcp,
  post,
  shortTimeouts,
  sleep,
  streamHead,
  withTcp,
} from './fake-provider.support.ts';
import { createHttpUpstream } from './http.ts';

test('the bytes of a request and of its answer pass unchanged, with our framing', async () => {
  const seen: { url: string | undefined; body: string; headers: readonly string[] }[] = [];
  const server = await listenHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ url: request.url, body: Buffer.concat(chunks).toString(), headers: request.rawHeaders });
      response.writeHead(201, { 'X-Mixed-Case': 'a', 'set-cookie': ['a=1', 'b=2'] });
      response.end('{"ünï": 1}');
    });
  });
  const pool = createTestPool();
  const upstream = createHttpUpstream({ baseUrl: `${server.origin}/openai/`, timeouts: shortTimeouts, pool });
  const answer = await exchange(upstream, post('/v1/chat/completions?beta=true', '{"a":"ß"}'));
  assert.equal(answer.status, 201);
  assert.equal(answer.body, '{"ünï": 1}');
  assert.equal(answer.error, undefined);
  assert.equal(answer.headers[answer.headers.indexOf('x-mixed-case') + 1], 'a');
  assert.equal(answer.headers.filter((value) => value === 'set-cookie').length, 2);
  assert.equal(seen[0]?.url, '/openai/v1/chat/completions?beta=true');
  assert.equal(seen[0]?.body, '{"a":"ß"}');
  assert.equal(seen[0]?.headers.filter((value) => value === 'content-length').length, 1);
  assert.ok(!seen[0]?.headers.includes('transfer-encoding'));
  await pool.close();
  await server.close();
});

test('clean answers keep their connection: 20 requests in a row use one', async () => {
  const ports = new Set<number | undefined>();
  const server = await listenHttp((request, response) => {
    ports.add(request.socket.remotePort);
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  const pool = createTestPool();
  const upstream = createHttpUpstream({ baseUrl: server.origin, timeouts: shortTimeouts, pool });
  for (let round = 0; round < 20; round += 1) {
    assert.equal((await exchange(upstream, post('/v1/x', '{}'))).body, 'ok');
  }
  assert.equal(ports.size, 1);
  assert.deepEqual(pool.counts, { made: 1, released: 20, destroyed: 0 });
  await pool.close();
  await server.close();
});

test('a request whose method expects no body, and that has one, is the last on its connection', async () => {
  const seen: string[] = [];
  const server = await listenHttp((request, response) => {
    seen.push(`${request.method} ${request.socket.remotePort}`);
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  const pool = createTestPool();
  const upstream = createHttpUpstream({ baseUrl: server.origin, timeouts: shortTimeouts, pool });
  const hidden = 'POST /v1/files HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n';
  for (const method of ['GET', 'DELETE', 'OPTIONS']) {
    assert.equal((await exchange(upstream, { ...post('/v1/x', hidden), method })).body, 'ok');
    assert.equal((await exchange(upstream, post('/v1/x', '{}'))).body, 'ok');
  }
  const ports = seen.map((one) => one.split(' ')[1]);
  for (const at of [0, 2, 4]) assert.notEqual(ports[at], ports[at + 1], seen.join());
  assert.equal(ports[1], ports[2], 'one with a body that is expected is not');
  await pool.close();
  await server.close();
});

test('a connection that the provider closed while idle is replaced without an error', async () => {
  const server = await listenHttp((request, response) => {
    request.resume();
    request.on('end', () => {
      response.end('ok');
      setTimeout(() => request.socket.destroy(), 10);
    });
  });
  const pool = createTestPool();
  const upstream = createHttpUpstream({ baseUrl: server.origin, timeouts: shortTimeouts, pool });
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await exchange(upstream, post('/v1/x', '{}'))).error, undefined);
    await sleep(40);
  }
  await pool.close();
  await server.close();
});

test('a refused connection is unreachable, and nothing was sent', async () => {
  const server = await listenTcp(() => undefined);
  await server.close();
  const pool = createTestPool();
  const upstream = createHttpUpstream({ baseUrl: server.origin, timeouts: shortTimeouts, pool });
  const { error } = await exchange(upstream, post('/v1/x', '{}'));
  assert.equal(error?.kind, 'unreachable');
  assert.equal(error?.requestSent, false);
  assert.equal(error?.beforeHeaders, true);
  assert.equal(pool.counts.destroyed, 1);
  await pool.close();
});

test('a pool that refuses the destination is an error of the call, not of its caller', async () => {
  const refusing = {
    acquire() {
      throw new Error('the address is not allowed');
    },
  };
  const upstream = createHttpUpstream({
    baseUrl: 'http://127.0.0.1:9',
    timeouts: shortTimeouts,
    pool: refusing,
  });
  const { error } = await exchange(upstream, post('/v1/x', '{}'));
  assert.equal(error?.kind, 'unreachable');
  assert.equal(error?.requestSent, false);
});

test('a dialer that never answers is a connect time-out', async () => {
  const pool = openClientPool({ egress: { connector: () => () => undefined } });
  const upstream = createHttpUpstream({ baseUrl: 'http://example.com', timeouts: shortTimeouts, pool });
  const began = performance.now();
  const { error } = await exchange(upstream, post('/v1/x', '{}'));
  assert.equal(error?.kind, 'timeout_connect');
  assert.equal(error?.requestSent, false);
  assert.ok(performance.now() - began < 1_000);
  await pool.close();
});

test('time for which the caller paused is not idle time', async () => {
  const slow = (socket: Socket) => {
    socket.write(`${streamHead}1\r\na\r\n`);
    setTimeout(() => socket.write('1\r\nb\r\n0\r\n\r\n'), 100);
  };
  await withTcp(slow, async ({ upstream }) => {
    const answer = await exchange(upstream, post('/v1/x', '{}'), {
      onChunk(call, _chunk, count) {
        if (count !== 1) return;
        call.pause();
        setTimeout(() => call.resume(), shortTimeouts.idleMs * 3);
      },
    });
    assert.equal(answer.error, undefined);
    assert.equal(answer.body, 'ab');
  });
});

test('fault 16: a paused call holds the provider back', async () => {
  const block = Buffer.alloc(64 * 1024, 0x61);
  let written = 0;
  const server = await listenHttp((request, response) => {
    request.resume();
    const pump = (): void => {
      while (written < 2_000 && !response.destroyed) {
        written += 1;
        if (!response.write(block)) {
          response.once('drain', pump);
          return;
        }
      }
      response.end();
    };
    pump();
  });
  const pool = createTestPool();
  const upstream = createHttpUpstream({ baseUrl: server.origin, timeouts: shortTimeouts, pool });
  let whilePaused = 0;
  const answer = await exchange(upstream, post('/v1/x', '{}'), {
    onChunk(call, _chunk, count) {
      if (count !== 1) return;
      call.pause();
      setTimeout(() => {
        whilePaused = written;
        call.resume();
      }, 250);
    },
  });
  assert.ok(whilePaused < 400, `the provider wrote ${whilePaused} blocks of 64 KiB into a paused call`);
  assert.equal(answer.body.length, 2_000 * block.length);
  await pool.close();
  await server.close();
});

test('trailers are dropped', async () => {
  await withTcp(
    (socket) => socket.write(`${streamHead}2\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n`),
    async ({ upstream }) => {
      const answer = await exchange(upstream, post('/v1/x', '{}'));
      assert.equal(answer.body, 'ok');
      assert.ok(!answer.headers.includes('x-trailer'));
    },
  );
});

test('fault 15: an abort cuts the connection within a second, whenever it comes', async () => {
  for (const when of ['at once', 'before headers', 'within the body'] as const) {
    let isClosed = false;
    const answerSlowly = (socket: Socket) => {
      socket.on('close', () => {
        isClosed = true;
      });
      if (when === 'within the body') socket.write(`${streamHead}5\r\nhello\r\n`);
    };
    await withTcp(answerSlowly, async ({ upstream, pool }) => {
      const answer = await exchange(upstream, post('/v1/x', '{}'), {
        onCall(call) {
          if (when === 'at once') call.abort();
          if (when === 'before headers') setTimeout(() => call.abort(), 30);
        },
        onChunk: (call) => call.abort(),
      });
      await sleep(60);
      assert.equal(answer.error?.kind, 'aborted', when);
      assert.equal(answer.error?.requestSent, when !== 'at once');
      assert.equal(answer.endings(), 1);
      assert.equal(pool.counts.destroyed, 1);
      if (when !== 'at once') assert.ok(isClosed, when);
    });
  }
});

test('after its end a call takes abort, pause and resume without effect', async () => {
  await withTcp(
    (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'),
    async ({ upstream, pool }) => {
      const answer = await exchange(upstream, post('/v1/x', '{}'), {
        onCall(call) {
          setTimeout(() => {
            call.pause();
            call.resume();
            call.abort();
          }, 60);
        },
      });
      await sleep(90);
      assert.equal(answer.endings(), 1);
      assert.deepEqual(pool.counts, { made: 1, released: 1, destroyed: 0 });
    },
  );
});

test('a request that cannot be written is invalid, and nothing was sent', async () => {
  await withTcp(
    () => undefined,
    async ({ upstream }) => {
      const { error } = await exchange(upstream, { ...post('/v1/a b', '{}') });
      assert.equal(error?.kind, 'invalid');
      assert.equal(error?.requestSent, false);
    },
  );
});
