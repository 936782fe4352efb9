// Claims about a server that is killed under load (FAULTS row 1): nothing that was answered or dispatched is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { at } from '../support/server.ts';
import { type Bed, makeBed, scale } from './bed.ts';
import { keepAlive, quantile } from './client.ts';
import {
  assertAnsweredHaveOutcomes,
  assertDispatchedHaveIntents,
  assertNoOrphans,
  type Calls,
  readLedger,
} from './ledger.ts';
import { answerPlainly } from './provider.ts';

const kills = scale(10, 1_000);
const clients = 24;

/** Clients that ask without a pause, every other one for a stream, until they are told to stop. */
function loadOn(bed: Bed, round: number, answered: Set<string>) {
  const agent = keepAlive();
  let isOver = false;
  let asked = 0;
  const workers = Array.from({ length: clients }, async (_, worker) => {
    for (let n = 0; !isOver; n += 1) {
      const marker = `${round}-${worker}-${n}`;
      asked += 1;
      const reply = await bed.ask({ marker, isStream: worker % 2 === 0, agent });
      if (reply.isAnswered) answered.add(marker);
      if (reply.status === 0) await sleep(2);
    }
  });
  return {
    asked: () => asked,
    stop: async () => {
      isOver = true;
      await Promise.all(workers);
      agent.destroy();
    },
  };
}

/** Every orphan was charged what it had reserved, and the budget counts every charge. */
async function assertCharged(bed: Bed, calls: Calls): Promise<number> {
  let orphans = 0;
  let total = 0;
  for (const [id, [outcome]] of calls.outcomes) {
    const cost = outcome?.usage?.cost_nanos ?? 0;
    total += cost;
    if (outcome?.status !== 'unknown') continue;
    orphans += 1;
    assert.equal(cost, calls.intents.get(id)?.reserved?.cost_nanos, 'an orphan costs what it reserved');
  }
  const budgets = at(await bed.api('GET', '/budgets'), 'items');
  const [budget]: readonly unknown[] = Array.isArray(budgets) ? budgets : [];
  assert.equal(at(budget, 'usedNanos'), total, 'the budget has counted every outcome');
  return orphans;
}

test(`row 1: killed ${kills} times under load, the server loses nothing that it answered or dispatched`, {
  timeout: 3 * 3_600_000,
}, async (t) => {
  const bed = await makeBed(t, { answer: answerPlainly(6, 4) });
  const ledger = readLedger(bed);
  const answered = new Set<string>();
  const starts: number[] = [];
  let asked = 0;
  for (let round = 0; round < kills; round += 1) {
    const load = loadOn(bed, round, answered);
    await sleep(100 + Math.random() * 500);
    await bed.server().kill();
    await load.stop();
    asked += load.asked();
    const { startMs } = await bed.start();
    starts.push(startMs);
    const calls = await ledger.read();
    assertNoOrphans(calls);
    assertDispatchedHaveIntents(calls, bed.provider.dispatched);
    assertAnsweredHaveOutcomes(calls, answered);
    // The longer the log, the longer a whole check: between two of them only what is new is looked at.
    bed.provider.dispatched.clear();
    answered.clear();
  }
  const calls = await ledger.read();
  const orphans = await assertCharged(bed, calls);
  assert.ok(orphans > 0, 'no kill came between an intent and its outcome');
  const size = await ledger.verify();
  t.diagnostic(
    `${kills} kills, ${asked} asked, ${calls.intents.size} intents, ${orphans} orphans closed, ${size} entries verified, ` +
      `start p50 ${Math.round(quantile(starts, 0.5))} ms, max ${Math.round(quantile(starts, 1))} ms`,
  );
  assert.ok(asked > kills * clients, `only ${asked} calls were asked for`);
  // Last: how fast a busy machine starts says nothing of what was lost.
  assert.ok(quantile(starts, 1) < 5_000, `back after ${quantile(starts, 1)} ms`);
});
