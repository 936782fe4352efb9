// Claims about a ledger whose disk syncs slowly (FAULTS row 6): slower answers, a bounded queue, nothing unrecorded.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { residentBytes, watchMemory } from '../support/server-process.ts';
import { makeBed, scale } from './bed.ts';
import { keepAlive, quantile, type Reply } from './client.ts';
import { assertAnsweredHaveOutcomes, assertNoOrphans, readLedger } from './ledger.ts';
import { answerPlainly } from './provider.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-slow-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const library = join(folder, 'slow-sync.so');
const flag = join(folder, 'slow');
const seconds = scale(6, 30);
const clients = 200;

function build(): string | false {
  const source = fileURLToPath(new URL('./slow-sync.c', import.meta.url));
  try {
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { stdio: 'pipe' });
    return false;
  } catch {
    return 'the slow disk is a library that gcc must build';
  }
}

test(`row 6: with every sync 500 ms late for ${seconds} s, ${clients} clients wait, memory does not grow and all is recorded`, {
  skip: build(),
  timeout: 180_000,
}, async (t) => {
  const env = { LD_PRELOAD: library, SLOW_SYNC_FLAG: flag, SLOW_SYNC_MS: '500' };
  // The answers are over at once: a stream's end could otherwise not be told from a slow record.
  const bed = await makeBed(t, { answer: answerPlainly(3, 0), env });
  const agent = keepAlive();
  const replies: { readonly marker: string; readonly reply: Reply; readonly isSlow: boolean }[] = [];
  let slowSince = Number.POSITIVE_INFINITY;
  let isOver = false;
  const workers = Array.from({ length: clients }, async (_, worker) => {
    for (let n = 0; !isOver; n += 1) {
      const marker = `${worker}-${n}`;
      const reply = await bed.ask({ marker, isStream: worker % 2 === 0, agent });
      // What was nearly done when the disk became slow says nothing of it.
      replies.push({ marker, reply, isSlow: performance.now() > slowSince + 1_500 });
    }
  });
  // Memory is compared with that of the same load on a quick disk.
  await sleep(4_000);
  const quick = residentBytes(bed.server().pid);
  const memory = watchMemory(bed.server().pid);
  writeFileSync(flag, '');
  slowSince = performance.now();
  await sleep(seconds * 1_000);
  isOver = true;
  await Promise.all(workers);
  rmSync(flag);
  const grown = (memory.stop() - quick) / 1_048_576;
  agent.destroy();
  const slow = replies.filter((one) => one.isSlow).map(({ reply }) => reply);
  const fast = replies.filter((one) => !one.isSlow).map(({ reply }) => reply.ms);
  const times = slow.filter(({ isAnswered }) => isAnswered).map(({ ms }) => ms);
  assert.ok(times.length > 0, 'nothing was answered on the slow disk');
  assert.ok(
    quantile(times, 0.5) >= 900,
    `an answer took ${quantile(times, 0.5)} ms: two syncs take a second`,
  );
  assert.ok(quantile(times, 1) < 10_000, `an answer took ${quantile(times, 1)} ms`);
  assert.deepEqual(
    slow
      .filter(({ isAnswered, status }) => !isAnswered && status !== 503)
      .map(({ status, text }) => [status, text]),
    [],
    'whoever was not served was refused',
  );
  assert.ok(grown < 64, `memory grew by ${grown} MiB`);
  const ledger = readLedger(bed);
  const calls = await ledger.read();
  assertNoOrphans(calls);
  assertAnsweredHaveOutcomes(
    calls,
    replies.filter(({ reply }) => reply.isAnswered).map(({ marker }) => marker),
  );
  assert.equal(
    calls.intents.size,
    [...bed.provider.dispatched.values()].reduce((a, b) => a + b, 0),
  );
  t.diagnostic(
    `answers p50 ${Math.round(quantile(fast, 0.5))} ms before, p50 ${Math.round(quantile(times, 0.5))} and max ${Math.round(quantile(times, 1))} ms on the slow disk, ` +
      `${times.length} answered, memory +${grown.toFixed(1)} MiB`,
  );
});
