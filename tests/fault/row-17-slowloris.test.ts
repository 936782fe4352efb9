// Claims about clients that begin requests and never finish them (FAULTS row 17): capped in time, harmless to others.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from '../support/server-process.ts';
import { startAttackers } from './attackers.ts';
import { type Bed, makeBed, scale } from './bed.ts';
import { assertUnharmed, type Round, timeOthers } from './others.ts';
import { answerPlainly } from './provider.ts';

const dripping = scale(200, 1_000);
const idle = scale(500, 10_000);
const headerTimeoutMs = 2_000;
/** A head may be held for the time-out and the two looks that find it; the sending side has its own delays. */
const overdueMs = headerTimeoutMs + 2_500;
/** Shorter than the time-out: afterwards there are no idle connections any more. */
const roundMs = scale(1_000, 1_500);

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

test(`row 17: ${dripping} heads that never end are cut at the time-out, ${idle} idle connections cost nothing, others are served`, {
  timeout: 240_000,
}, async (t) => {
  const env = { COUNTERSIGN_HEADER_TIMEOUT_MS: String(headerTimeoutMs) };
  const bed = await makeBed(t, { answer: answerPlainly(3, 2), env });
  const { port, pid } = bed.server();
  await timeOthers(bed, 'warm', 1_500);
  const rounds: Round[] = [];
  // Of the first round: later ones find room that the former have left.
  let bytesEach = 0;
  for (let n = 0; n < scale(7, 15); n += 1) {
    const alone = await timeOthers(bed, `alone${n}`, roundMs);
    const before = residentBytes(pid);
    const attackers = await startAttackers({ port, dripping, idle }, overdueMs);
    bytesEach ||= (residentBytes(pid) - before) / (dripping + idle);
    rounds.push({ alone, beside: await timeOthers(bed, `beside${n}`, roundMs) });
    await attackers.stop();
  }
  const attackers = await startAttackers({ port, dripping, idle }, overdueMs);
  await sleep(overdueMs);
  assert.equal((await bed.ask({ marker: 'meanwhile' })).isAnswered, true);
  const { cut, longestMs, said, overdue, idleOpen } = await attackers.stop();
  t.diagnostic(
    `${cut} heads cut after ${Math.round(longestMs)} ms at most, ${idleOpen} of ${idle} idle connections still open, ${Math.round(bytesEach / 1024)} KiB each`,
  );
  t.diagnostic(assertUnharmed(rounds));
  assert.ok(cut >= dripping, `only ${cut} heads were cut`);
  assert.equal(overdue, 0, 'every head that never ends was cut');
  assert.deepEqual(said, ['HTTP/1.1 408 Request Timeout']);
  assert.ok(longestMs < overdueMs, `a head was held for ${longestMs} ms`);
  assert.ok(bytesEach < 128 * 1024, `a connection costs ${bytesEach} bytes`);
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
