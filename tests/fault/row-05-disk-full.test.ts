// Claims about a ledger whose disk is full (FAULTS row 5): nothing leaves, nothing is lost, it heals by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBed } from './bed.ts';
import { keepAlive, quantile, type Reply } from './client.ts';
import {
  assertAnsweredHaveOutcomes,
  assertDispatchedHaveIntents,
  assertNoOrphans,
  readLedger,
} from './ledger.ts';
import { answerPlainly } from './provider.ts';
import { makeSmallDisk } from './small-disk.ts';

const disk = makeSmallDisk(24);
const skip = typeof disk === 'string' ? disk : false;

test('row 5: on a full disk calls get 503 within a second and none leaves; with space again all is served', {
  skip,
  timeout: 120_000,
}, async (t) => {
  if (typeof disk === 'string') return;
  const bed = await makeBed(t, { answer: answerPlainly(3, 2), disk });
  const agent = keepAlive();
  const replies = new Map<string, Reply>();
  let isOver = false;
  const workers = Array.from({ length: 8 }, async (_, worker) => {
    for (let n = 0; !isOver; n += 1) {
      const marker = `${worker}-${n}`;
      const reply = await bed.ask({ marker, isStream: worker % 2 === 0, agent });
      replies.set(marker, reply);
      if (reply.status === 503) await sleep(10);
    }
  });
  const refused = (): Reply[] => [...replies.values()].filter(({ status }) => status === 503);
  await sleep(500);
  assert.equal(refused().length, 0, refused()[0]?.text);
  disk.fill();
  const filled = performance.now();
  // What the log's file has room for may still be written: the refusals begin when that is used up.
  while (refused().length === 0 && performance.now() - filled < 20_000) await sleep(5);
  const first = performance.now() - filled;
  await sleep(1_500);
  const whileFull = refused();
  const readyWhileFull = (await fetch(`${bed.server().url}/readyz`)).status;
  const dispatchedWhileFull = bed.provider.dispatched.size;
  await sleep(300);
  const isQuiet = bed.provider.dispatched.size === dispatchedWhileFull;
  const freed = performance.now();
  disk.free();
  const before = [...replies.values()].filter(({ isAnswered }) => isAnswered).length;
  const isServing = (): boolean =>
    [...replies.values()].filter(({ isAnswered }) => isAnswered).length > before + 8;
  while (!isServing() && performance.now() - freed < 10_000) await sleep(5);
  const healed = performance.now() - freed;
  await sleep(300);
  const readyAgain = (await fetch(`${bed.server().url}/readyz`)).status;
  isOver = true;
  await Promise.all(workers);
  agent.destroy();
  assert.ok(whileFull.length > 10, `${whileFull.length} refusals on a full disk`);
  for (const { text } of whileFull) assert.match(text, /record could not be written/);
  const slowest = quantile(
    whileFull.map(({ ms }) => ms),
    1,
  );
  assert.ok(slowest < 1_000, `a refusal took ${slowest} ms`);
  assert.deepEqual([readyWhileFull, readyAgain], [503, 200], 'what a balancer is told');
  assert.ok(isQuiet, 'nothing reached the provider while nothing could be recorded');
  assert.ok(healed < 5_000, `served again after ${healed} ms`);
  await sleep(2_500);
  const ledger = readLedger(bed);
  const calls = await ledger.read();
  assertDispatchedHaveIntents(calls, bed.provider.dispatched);
  const answered = [...replies].filter(([, { isAnswered }]) => isAnswered).map(([marker]) => marker);
  assertAnsweredHaveOutcomes(calls, answered);
  assertNoOrphans(calls);
  await ledger.verify();
  t.diagnostic(
    `first refusal ${Math.round(first)} ms after the disk was full, ${whileFull.length} refused, slowest ${Math.round(slowest)} ms, ` +
      `served again ${Math.round(healed)} ms after space came, ${answered.length} answered and recorded`,
  );
});
