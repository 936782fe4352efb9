// Claims about bodies that stop or are never sent, silent connections, and a stop among vanished clients: alike for both readers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { plain, type RawClient, rawClient } from '@countersign/server/platform/http1/plain-server.support';
import { startServer, type TestServer } from '../../support/server.ts';

const env = { COUNTERSIGN_IDLE_STREAM_TIMEOUT_MS: '1500', COUNTERSIGN_HEADER_TIMEOUT_MS: '500' };
let running: TestServer;
let port = 0;
before(async () => {
  running = await startServer({ env });
  port = Number(new URL(running.url).port);
});
after(async () => {
  await running.stop();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const chat = '/v1/chat/completions';
const call = JSON.stringify({ model: 'sandbox', messages: [{ role: 'user', content: 'hello' }] });
const key = (): string => `Authorization: Bearer ${running.modelsKey}\r\n`;
const readers = { plain: '', node: 'Accept: a/b\r\naccept: c/d\r\n' } as const;

/** All that came until the connection ended, but for ids and the date. */
async function untilClosed(client: RawClient): Promise<string> {
  await client.closed;
  const text = client.bytes().toString('latin1');
  return text.replace(/\breq_[0-9a-z]{26}\b/g, '·').replace(/^Date: .*$/m, 'Date');
}

async function bothGet(send: (client: RawClient, more: string) => Promise<void>): Promise<string> {
  const [plainly, byNode] = await Promise.all(
    Object.values(readers).map(async (more) => {
      const client = await rawClient(port);
      await send(client, more);
      return untilClosed(client);
    }),
  );
  assert.equal(plainly, byNode);
  return plainly ?? '';
}

test('a body that stops is refused after the idle limit, and its connection ends', async () => {
  const answer = await bothGet(async (client, more) => {
    const whole = plain(chat, call, `${key()}Content-Type: application/json\r\n${more}`);
    client.send(whole.slice(0, -20));
    await pause(100);
    client.send(whole.slice(-20, -10));
  });
  assert.match(answer, /^HTTP\/1\.1 400 .*the body stopped before its end/s);
  assert.match(answer, /^Connection: close$/m);
});

test('a body that was announced is not waited for where there is no credential', async () => {
  const answer = await bothGet(async (client, more) =>
    client.send(`POST ${chat} HTTP/1.1\r\nHost: h\r\n${more}Content-Length: 1000000\r\n\r\n`),
  );
  assert.match(answer, /^HTTP\/1\.1 401 /);
  assert.match(answer, /^Connection: close$/m);
});

test('a connection that sends nothing, or the beginning of a head, is told so and closed', async () => {
  const [silent, begun] = await Promise.all([rawClient(port), rawClient(port)]);
  begun.send(`POST ${chat} HTTP/1.1\r\nHo`);
  const answers = await Promise.all([untilClosed(silent), untilClosed(begun)]);
  assert.deepEqual(
    answers,
    Array(2).fill('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'),
  );
});

test('a stop is not held up by clients that vanished, whatever of their requests had come', async () => {
  const own = await startServer({ env: { COUNTERSIGN_HEADER_TIMEOUT_MS: '500' } });
  const at = Number(new URL(own.url).port);
  const headers = `Authorization: Bearer ${own.modelsKey}\r\nContent-Type: application/json\r\n`;
  const streamed = call.replace('{', '{"stream":true,');
  const sent = [
    plain(chat, call, headers).repeat(20),
    plain(chat, streamed, headers),
    plain(chat, call, headers).slice(0, -9),
  ];
  await Promise.all(
    [...sent, ...sent, ...sent, ...sent].map(async (text, i) => {
      const client = await rawClient(at, { isDeaf: i % 2 === 0 });
      client.send(text);
      await pause(i * 3);
      client.socket.resetAndDestroy();
    }),
  );
  const begun = performance.now();
  const { unfinished } = await own.stop();
  assert.deepEqual(unfinished, []);
  assert.ok(performance.now() - begun < 10_000);
});
