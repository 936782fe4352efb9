// Claims about a server that is told to stop while streams run (FAULTS row 2).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../support/server-process.ts';
import { type Bed, makeBed, scale } from './bed.ts';
import { keepAlive, type Reply } from './client.ts';
import { assertAnsweredHaveOutcomes, assertNoOrphans, outcomeOf, readLedger } from './ledger.ts';
import { answerPlainly, chunkEvent, eventStream } from './provider.ts';

const streams = scale(50, 500);

/** Opens streams and waits until each has given its head. */
async function openStreams(bed: Bed, prefix: string, count: number): Promise<readonly Promise<Reply>[]> {
  const agent = keepAlive();
  let begun = 0;
  const all = Promise.withResolvers<void>();
  const onResponse = (): void => {
    begun += 1;
    if (begun === count) all.resolve();
  };
  const replies = Array.from({ length: count }, (_, n) =>
    bed.ask({ marker: `${prefix}-${n}`, isStream: true, agent, onResponse }),
  );
  await within(20_000, 'the head of every stream', all.promise);
  return replies;
}

async function readiness(bed: Bed): Promise<number> {
  return (await fetch(`${bed.server().url}/readyz`)).status;
}

test(`row 2: with ${streams} streams, SIGTERM takes readiness away at once, cuts none and ends with 0`, {
  timeout: 180_000,
}, async (t) => {
  const bed = await makeBed(t, { answer: answerPlainly(20, 150) });
  const replies = await openStreams(bed, 'kept', streams);
  assert.equal(await readiness(bed), 200);
  const told = performance.now();
  bed.server().signal('SIGTERM');
  let status = 200;
  while (status === 200) status = await readiness(bed);
  const unready = performance.now() - told;
  assert.equal(status, 503);
  assert.ok(unready < 500, `ready for ${unready} ms after the signal`);
  // A balancer has not looked yet: what still comes is served.
  const late = await bed.ask({ marker: 'late' });
  assert.equal(late.isAnswered, true, `${late.status} ${late.text}`);
  const ended = await Promise.all(replies);
  assert.equal(ended.filter(({ isAnswered, isWhole }) => !isAnswered || !isWhole).length, 0, 'cut streams');
  const { code } = await within(20_000, 'the end of the process', bed.server().ended);
  assert.equal(code, 0, bed.server().lines.slice(-3).join('\n'));
  const { orphansClosed } = await bed.start();
  assert.equal(orphansClosed, 0, 'the store was closed with every outcome in it');
  const ledger = readLedger(bed);
  const calls = await ledger.read();
  assertNoOrphans(calls);
  assertAnsweredHaveOutcomes(calls, bed.provider.dispatched.keys());
  await ledger.verify();
  t.diagnostic(`readiness gone after ${Math.round(unready)} ms, ${streams} streams finished, 0 cut`);
});

test('row 2: what runs beyond the drain limit is cut, told so, and has its outcome', {
  timeout: 60_000,
}, async (t) => {
  const env = { COUNTERSIGN_DRAIN_TIMEOUT_MS: '700' };
  const bed = await makeBed(t, {
    env,
    answer: async ({ response }) => {
      response.writeHead(200, eventStream);
      while (!response.destroyed) {
        response.write(chunkEvent('on and on '));
        await sleep(50);
      }
    },
  });
  const replies = await openStreams(bed, 'endless', 20);
  const told = performance.now();
  bed.server().signal('SIGTERM');
  const ended = await Promise.all(replies);
  const { code } = await within(20_000, 'the end of the process', bed.server().ended);
  const took = performance.now() - told;
  assert.equal(code, 1, 'an unfinished drain is no clean end');
  assert.ok(took < 4_000, `took ${took} ms`);
  for (const { isAnswered, text } of ended) {
    assert.equal(isAnswered, false);
    assert.match(text, /the server is stopping/, 'the client is told why');
  }
  const { orphansClosed } = await bed.start();
  assert.equal(orphansClosed, 0, 'streams that the drain cut left no intent open');
  const calls = await readLedger(bed).read();
  assertNoOrphans(calls);
  for (const marker of bed.provider.dispatched.keys()) {
    const outcome = outcomeOf(calls, marker);
    assert.ok(outcome.status === 'cut' || outcome.status === 'cancelled', outcome.status);
    assert.equal(outcome.usage?.source, 'estimated', 'what had streamed is billed and flagged');
  }
  t.diagnostic(`cut after ${Math.round(took)} ms with a limit of 700 ms`);
});

test('row 2: a second signal ends the process at once', { timeout: 60_000 }, async (t) => {
  const bed = await makeBed(t, { answer: answerPlainly(400, 50) });
  const replies = await openStreams(bed, 'cut', 5);
  bed.server().signal('SIGTERM');
  await sleep(200);
  const told = performance.now();
  bed.server().signal('SIGTERM');
  const { code } = await within(5_000, 'the end of the process', bed.server().ended);
  const took = performance.now() - told;
  assert.equal(code, 143);
  assert.ok(took < 1_000, `took ${took} ms`);
  await Promise.all(replies);
  const { orphansClosed } = await bed.start();
  assert.equal(orphansClosed, 5, 'the next start closes what was cut');
  t.diagnostic(`ended ${Math.round(took)} ms after the second signal`);
});
