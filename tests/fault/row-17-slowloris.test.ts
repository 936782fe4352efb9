// Claims about clients that begin requests and never finish them (FAULTS row 17): capped in time, harmless to others.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from '../support/server-process.ts';
import { type Bed, isLong, makeBed, scale } from './bed.ts';
import { keepAlive, quantile } from './client.ts';
import { answerPlainly } from './provider.ts';

const dripping = scale(200, 1_000);
const idle = scale(500, 10_000);
const headerTimeoutMs = 2_000;

type Held = { readonly socket: Socket; readonly openedAt: number; closedAt: number; said: string };

function hold(bed: Bed, first: string): Held {
  const held: Held = {
    socket: connect(bed.server().port, '127.0.0.1'),
    openedAt: performance.now(),
    closedAt: 0,
    said: '',
  };
  held.socket.on('error', () => {});
  held.socket.on('data', (chunk) => {
    held.said += String(chunk);
  });
  held.socket.once('close', () => {
    held.closedAt = performance.now();
  });
  if (first !== '') held.socket.write(first);
  return held;
}

/** Rounds of healthy calls for a while, each timed. */
async function timeHealthy(bed: Bed, prefix: string, forMs: number): Promise<readonly number[]> {
  const agent = keepAlive();
  const until = performance.now() + forMs;
  const times: number[] = [];
  const workers = Array.from({ length: 4 }, async (_, worker) => {
    for (let n = 0; performance.now() < until; n += 1) {
      const reply = await bed.ask({ marker: `${prefix}.${worker}.${n}`, isStream: worker % 2 === 0, agent });
      assert.equal(reply.isAnswered, true, `${reply.status} ${reply.text}`);
      times.push(reply.ms);
    }
  });
  await Promise.all(workers);
  agent.destroy();
  return times;
}

test(`row 17: ${dripping} heads that never end are cut at the time-out, ${idle} idle connections cost nothing, others are served`, {
  timeout: 240_000,
}, async (t) => {
  const env = { COUNTERSIGN_HEADER_TIMEOUT_MS: String(headerTimeoutMs) };
  const bed = await makeBed(t, { answer: answerPlainly(3, 2), env });
  await timeHealthy(bed, 'warm', 1_500);
  const alone = await timeHealthy(bed, 'alone', 3_000);
  const before = residentBytes(bed.server().pid);
  const heads = Array.from({ length: dripping }, () =>
    hold(bed, 'POST /v1/chat/completions HTTP/1.1\r\nhost: gateway.test\r\n'),
  );
  const silent = Array.from({ length: idle }, () => hold(bed, ''));
  // Each drips a header a little: a clock that a byte restarts would never end it.
  const timer = setInterval(() => {
    for (const { socket, closedAt } of heads) if (closedAt === 0) socket.write('x-drip: a\r\n');
  }, 200);
  const beside = await timeHealthy(bed, 'beside', 5_000);
  clearInterval(timer);
  const bytesEach = (residentBytes(bed.server().pid) - before) / (dripping + idle);
  assert.equal(
    heads.filter(({ closedAt }) => closedAt === 0).length,
    0,
    'every head that never ends was cut',
  );
  for (const { said } of heads) assert.match(said, /^HTTP\/1\.1 408 /);
  const longest = quantile(
    heads.map(({ openedAt, closedAt }) => closedAt - openedAt),
    1,
  );
  assert.ok(longest < headerTimeoutMs + 2_500, `a head was held for ${longest} ms`);
  assert.ok(bytesEach < 128 * 1024, `a connection costs ${bytesEach} bytes`);
  const [p99Alone, p99Beside] = [quantile(alone, 0.99), quantile(beside, 0.99)];
  const limit = isLong ? Math.max(p99Alone * 1.2, p99Alone + 5) : p99Alone * 2 + 50;
  assert.ok(p99Beside < limit, `p99 of others went from ${p99Alone} to ${p99Beside} ms`);
  const stillOpen = silent.filter(({ closedAt }) => closedAt === 0).length;
  for (const { socket } of [...heads, ...silent]) socket.destroy();
  t.diagnostic(
    `heads cut after ${Math.round(longest)} ms at most, ${stillOpen} of ${idle} idle connections still open after 5 s, ` +
      `${Math.round(bytesEach / 1024)} KiB each; others' p99 ${p99Alone.toFixed(1)} -> ${p99Beside.toFixed(1)} ms`,
  );
});

test('row 17: a body that drips is cut, and holds nothing that others need', {
  timeout: 60_000,
}, async (t) => {
  const env = {
    COUNTERSIGN_HEADER_TIMEOUT_MS: String(headerTimeoutMs),
    COUNTERSIGN_IDLE_STREAM_TIMEOUT_MS: '1500',
  };
  const bed = await makeBed(t, { answer: answerPlainly(1, 0), env });
  const head =
    `POST /v1/chat/completions HTTP/1.1\r\nhost: gateway.test\r\nauthorization: Bearer ${bed.keys.modelsKey}\r\n` +
    'content-type: application/json\r\ncontent-length: 100000\r\n\r\n{';
  const bodies = Array.from({ length: 50 }, () => hold(bed, head));
  assert.equal((await bed.ask({ marker: 'healthy' })).isAnswered, true);
  const deadline = performance.now() + 10_000;
  while (bodies.some(({ closedAt }) => closedAt === 0) && performance.now() < deadline) await sleep(50);
  const open = bodies.filter(({ closedAt }) => closedAt === 0).length;
  for (const { socket } of bodies) socket.destroy();
  assert.equal(open, 0, 'every body that never ends was cut');
  assert.equal(bed.provider.dispatched.has(''), false);
});
