// Claims about clients that read a byte a second (FAULTS row 16): the provider waits, memory stays, others do not suffer.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes, watchMemory } from '../support/server-process.ts';
import { type Bed, makeBed, scale } from './bed.ts';
import { promptOf, quantile } from './client.ts';
import { assertNoOrphans, settledCalls } from './ledger.ts';
import { assertUnharmed, type Round, timeOthers } from './others.ts';
import { answerPlainly, chunkEvent, eventStream, type FaultProvider } from './provider.ts';

const readers = scale(100, 1_000);
const roundMs = scale(1_000, 30_000);
const mebibyte = 1_048_576;
/** Far more than every buffer between a provider and a reader that stands still. */
const answerMebibytes = 64;

/** Streams as fast as it is read, and counts what it could write. */
function fastAnswer(written: Map<string, number>): FaultProvider['answer'] {
  const events = Buffer.from(chunkEvent('x'.repeat(100)).repeat(64));
  const plainly = answerPlainly(3, 2);
  return async (call) => {
    const { marker, response } = call;
    if (!marker.startsWith('slow')) return plainly(call);
    response.writeHead(200, eventStream);
    for (let sent = 0; sent < answerMebibytes * mebibyte && !response.destroyed; sent += events.length) {
      const goesOn = response.write(events);
      written.set(marker, sent + events.length);
      if (!goesOn && !(await canGoOn(response))) return;
    }
    response.end();
  };
}

function canGoOn(response: Parameters<FaultProvider['answer']>[0]['response']): Promise<boolean> {
  return new Promise((resolve) => {
    const go = (): void => end(true);
    const stop = (): void => end(false);
    const end = (isOpen: boolean): void => {
      response.off('drain', go).off('close', stop);
      resolve(isOpen);
    };
    response.once('drain', go).once('close', stop);
  });
}

/** A connection that asks for a stream and reads a byte a second. */
function readSlowly(bed: Bed, marker: string): Socket {
  const socket = connect(bed.server().port, '127.0.0.1');
  const body = promptOf({ url: '', key: '', marker, isStream: true, maxTokens: 100_000_000 });
  socket.on('error', () => {});
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: gateway.test\r\nauthorization: Bearer ${bed.keys.modelsKey}\r\n` +
      `content-type: application/json\r\nx-countersign-tags: marker-${marker}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  socket.pause();
  // Node reads at least a buffer at once; what it took is handed out a byte a second.
  const timer = setInterval(() => socket.read(1), 1_000);
  socket.once('close', () => clearInterval(timer));
  return socket;
}

/** What was seen while slow readers held their streams. Memory in MiB; `more` is bytes. */
type Beside = {
  readonly times: readonly number[];
  readonly before: number;
  readonly highest: number;
  readonly each: number;
  readonly more: number;
};

/** Lets the slow readers come, times the others beside them, and lets them go. */
async function besideReaders(bed: Bed, written: Map<string, number>, round: number): Promise<Beside> {
  written.clear();
  const before = residentBytes(bed.server().pid);
  const memory = watchMemory(bed.server().pid);
  const sockets = Array.from({ length: readers }, (_, n) => readSlowly(bed, `slow-${round}-${n}`));
  const deadline = performance.now() + 30_000;
  while (written.size < readers && performance.now() < deadline) await sleep(50);
  assert.equal(written.size, readers, 'every slow reader has its stream');
  // Every buffer on the way fills first: gigabytes, for a thousand readers.
  const total = (): number => [...written.values()].reduce((sum, bytes) => sum + bytes, 0);
  let filled = -1;
  while (filled !== total() && performance.now() < deadline + 60_000) {
    filled = total();
    await sleep(round === 0 ? 1_500 : 400);
  }
  const times = await timeOthers(bed, `beside${round}`, roundMs);
  const more = total() - filled;
  const highest = memory.stop();
  for (const socket of sockets) socket.destroy();
  const ended = performance.now();
  while (bed.provider.open() > 0 && performance.now() - ended < 5_000) await sleep(10);
  assert.equal(bed.provider.open(), 0, 'the providers of readers that have gone are stopped');
  const each = quantile([...written.values()], 1) / mebibyte;
  return { times, before: before / mebibyte, highest: highest / mebibyte, each, more };
}

test(`row 16: ${readers} readers of a byte a second hold their providers back, and neither memory nor others`, {
  timeout: 300_000,
}, async (t) => {
  const written = new Map<string, number>();
  const bed = await makeBed(t, { answer: fastAnswer(written) });
  await timeOthers(bed, 'warm', 2_000);
  const rounds: Round[] = [];
  let first: Beside | undefined;
  for (let n = 0; n < scale(7, 1); n += 1) {
    const alone = await timeOthers(bed, `alone${n}`, roundMs);
    const one = await besideReaders(bed, written, n);
    rounds.push({ alone, beside: one.times });
    first ??= one;
  }
  assert.ok(first !== undefined);
  const { before, highest, each, more } = first;
  t.diagnostic(
    `resident memory ${Math.round(before)} MiB before, ${Math.round(highest)} at most; a provider wrote ${each.toFixed(1)} MiB at most`,
  );
  assertNoOrphans(await settledCalls(bed));
  assert.ok(each < answerMebibytes / 2, `a provider could write ${each} MiB to a reader that stood still`);
  assert.ok(more < readers * 64 * 1024, `providers could write ${more} bytes more while nobody read`);
  t.diagnostic(assertUnharmed(rounds));
  const kibEach = ((highest - before) * 1024) / readers;
  // Of these about 200 KiB are three reads of 64 KiB: one on its way out, one half parsed, one read ahead.
  const allowed = readers * 448 + 64 * 1024;
  assert.ok(kibEach * readers < allowed, `a slow reader takes ${kibEach} KiB`);
  assert.ok(highest < 512, `resident memory reached ${highest} MiB`);
});

test('row 16: a reader that takes nothing at all counts as gone after the idle time-out', {
  timeout: 60_000,
}, async (t) => {
  const written = new Map<string, number>();
  const env = { COUNTERSIGN_IDLE_STREAM_TIMEOUT_MS: '1500' };
  const bed = await makeBed(t, { answer: fastAnswer(written), env });
  const sockets = Array.from({ length: 10 }, (_, n) => readSlowly(bed, `slow-${n}`));
  const started = performance.now();
  while (written.size < 10 && performance.now() - started < 10_000) await sleep(10);
  while (bed.provider.open() > 0 && performance.now() - started < 15_000) await sleep(20);
  const took = performance.now() - started;
  for (const socket of sockets) socket.destroy();
  assert.equal(bed.provider.open(), 0, 'their providers are stopped');
  const calls = await settledCalls(bed);
  assertNoOrphans(calls);
  for (const [outcome] of calls.outcomes.values()) assert.equal(outcome?.status, 'cancelled');
  t.diagnostic(`stopped within ${Math.round(took)} ms with a limit of 1500 ms`);
});
