// Owns the claims about how exchanges end on a plain socket: once, also beside a pause, a close or a fault of our own.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { UpstreamError, UpstreamHandler } from '../upstream.ts';
import { exchange, post, sleep, streamHead, withTcp } from './fake-provider.support.ts';

const untilClose = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n';
const twoBytes = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

test('a body that is framed by the close ends with it, also by a reset', async () => {
  for (const close of ['end', 'resetAndDestroy'] as const) {
    const answerThenClose = (socket: Socket) => {
      socket.write(`${untilClose}hello`);
      setTimeout(() => socket[close](), 30);
    };
    await withTcp(answerThenClose, async ({ upstream }) => {
      const answer = await exchange(upstream, post('/v1/x', '{}'));
      assert.equal(answer.error, undefined, close);
      assert.equal(answer.body, 'hello');
      assert.equal(answer.endings(), 1);
    });
  }
});

test('a close within a length or a chunk is unreachable where it was not announced', async () => {
  for (const text of [
    twoBytes.slice(0, -1),
    `${streamHead}2\r\no`,
    `${streamHead}2\r\nok\r\n`,
    'HTTP/1.1 2',
  ]) {
    await withTcp(
      (socket) => socket.end(text),
      async ({ upstream }) => {
        const { error, endings } = await exchange(upstream, post('/v1/x', '{}'));
        assert.equal(error?.kind, 'unreachable', text);
        assert.equal(endings(), 1);
      },
    );
  }
});

test('within a pause nothing comes, however much was read at once, nor the end', async () => {
  const pieces = `${streamHead}${'1\r\nx\r\n'.repeat(50)}0\r\n\r\n`;
  for (const close of [false, true]) {
    await withTcp(
      (socket) => (close ? socket.end(pieces) : socket.write(pieces)),
      async ({ upstream }) => {
        let isPaused = false;
        const answer = await exchange(upstream, post('/v1/x', '{}'), {
          onChunk(call, _chunk, count) {
            assert.equal(isPaused, false);
            if (count % 10 !== 0) return;
            isPaused = true;
            call.pause();
            setTimeout(() => {
              isPaused = false;
              call.resume();
            }, 5);
          },
        });
        assert.equal(isPaused, false);
        assert.equal(answer.error, undefined);
        assert.equal(answer.body, 'x'.repeat(50));
        assert.equal(answer.endings(), 1);
      },
    );
  }
});

test('a call that was paused before its answer gets the head, and the body when it goes on', async () => {
  await withTcp(
    (socket) => socket.write(twoBytes),
    async ({ upstream, pool }) => {
      let resumedAt = 0;
      const answer = await exchange(upstream, post('/v1/x', '{}'), {
        onCall(call) {
          call.pause();
          setTimeout(() => {
            resumedAt = performance.now();
            call.resume();
          }, 60);
        },
        onChunk: () => assert.ok(resumedAt > 0),
      });
      assert.equal(answer.body, 'ok');
      assert.deepEqual(pool.counts, { made: 1, released: 1, destroyed: 0 });
    },
  );
});

test('a paused call that is given up ends, and its connection with it', async () => {
  let isClosed = false;
  const answerOnce = (socket: Socket) => {
    socket.on('close', () => {
      isClosed = true;
    });
    socket.write(`${streamHead}5\r\nhello\r\n5\r\nworld\r\n`);
  };
  await withTcp(answerOnce, async ({ upstream }) => {
    const answer = await exchange(upstream, post('/v1/x', '{}'), {
      onChunk(call) {
        call.pause();
        setTimeout(() => call.abort(), 20);
      },
    });
    await sleep(30);
    assert.equal(answer.error?.kind, 'aborted');
    assert.equal(answer.body, 'hello');
    assert.ok(isClosed);
  });
});

test('an answer that comes before the request is out is taken, and its connection is not used again', async () => {
  const early = (socket: Socket, head: string) => {
    if (!head.startsWith('POST')) return;
    socket.pause();
    socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno');
  };
  await withTcp(early, async ({ upstream, pool }) => {
    for (let round = 0; round < 2; round += 1) {
      const answer = await exchange(upstream, post('/v1/x', 'x'.repeat(20_000_000)));
      assert.equal(answer.status, 413);
      assert.equal(answer.body, 'no');
    }
    assert.equal(pool.counts.made, 2);
  });
});

test('a provider that reads half of a request and resets is unreachable', async () => {
  await withTcp(
    (socket) => socket.resetAndDestroy(),
    async ({ upstream }) => {
      const { error, endings } = await exchange(upstream, post('/v1/x', 'x'.repeat(20_000_000)));
      await sleep(30);
      assert.deepEqual([error?.kind, error?.requestSent, endings()], ['unreachable', true, 1]);
    },
  );
});

test('a large body arrives as it was', async () => {
  let got = 0;
  const count = (socket: Socket, chunk: string) => {
    got += chunk.length;
    if (chunk.endsWith('!')) socket.write(twoBytes);
  };
  await withTcp(count, async ({ upstream }) => {
    const body = `${'x'.repeat(3_000_000)}!`;
    assert.equal((await exchange(upstream, post('/v1/x', body))).error, undefined);
    assert.ok(got > body.length && got < body.length + 300);
  });
});

test('a handler that throws ends its own call and not the process', async () => {
  for (const where of ['onHeaders', 'onData'] as const) {
    await withTcp(
      (socket) => socket.write(twoBytes),
      async ({ upstream, pool }) => {
        const error = await new Promise<UpstreamError>((resolve, reject) => {
          const handler: UpstreamHandler = {
            onHeaders: () => undefined,
            onData: () => undefined,
            onEnd: () => reject(new Error('it ended')),
            onError: resolve,
          };
          const fail = (): never => {
            throw new Error('a fault of ours');
          };
          upstream.send(post('/v1/x', '{}'), { ...handler, [where]: fail });
        });
        assert.equal(error.kind, 'unreachable');
        assert.equal(pool.counts.destroyed, 1);
      },
    );
  }
});

test('a call that is begun at the end of another one takes its connection', async () => {
  await withTcp(
    (socket) => socket.write(twoBytes),
    async ({ upstream, pool }) => {
      await new Promise<void>((resolve, reject) => {
        let left = 5;
        const send = (): void => {
          upstream.send(post('/v1/x', '{}'), {
            onHeaders: () => undefined,
            onData: () => undefined,
            onEnd() {
              left -= 1;
              if (left === 0) resolve();
              else send();
            },
            onError: reject,
          });
        };
        send();
      });
      assert.deepEqual(pool.counts, { made: 1, released: 5, destroyed: 0 });
    },
  );
});
