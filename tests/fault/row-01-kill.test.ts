// Claims about a server that is killed under load (FAULTS row 1): nothing that was answered or dispatched is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { countOf, figuresLine, tellProgress } from '../support/long-run.ts';
import { at } from '../support/server.ts';
import { type Bed, makeBed } from './bed.ts';
import { keepAlive, quantile } from './client.ts';
import {
  assertAnsweredHaveOutcomes,
  assertDispatchedHaveIntents,
  assertNoOrphans,
  type Calls,
  countLost,
  readLedger,
} from './ledger.ts';
import { answerPlainly } from './provider.ts';

const kills = countOf('COUNTERSIGN_KILLS', 10, 1_000);
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

/** What every round has seen: each is held against the log of that round, and all of them against the last one. */
function createSeen() {
  const answered = new Set<string>();
  const dispatched = new Map<string, number>();
  return {
    answered,
    dispatched,
    add: (bed: Bed, now: ReadonlySet<string>) => {
      for (const marker of now) answered.add(marker);
      for (const [marker, times] of bed.provider.dispatched)
        dispatched.set(marker, (dispatched.get(marker) ?? 0) + times);
    },
  };
}

test(`row 1: killed ${kills} times under load, the server loses nothing that it answered or dispatched`, {
  timeout: 3 * 3_600_000,
}, async (t) => {
  const bed = await makeBed(t, { answer: answerPlainly(6, 4) });
  const ledger = readLedger(bed);
  const answered = new Set<string>();
  const seen = createSeen();
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
    seen.add(bed, answered);
    bed.provider.dispatched.clear();
    answered.clear();
    tellProgress(
      `${round + 1} of ${kills} kills, ${asked} asked, ${calls.size} entries, back after ${Math.round(startMs)} ms`,
    );
  }
  const calls = await ledger.read();
  const orphans = await assertCharged(bed, calls);
  const lost = countLost(calls, seen.dispatched, seen.answered);
  const entries = await ledger.verify();
  const [startP50Ms, startMaxMs] = [quantile(starts, 0.5), quantile(starts, 1)];
  t.diagnostic(
    figuresLine('kills', {
      kills: starts.length,
      asked,
      answered: seen.answered.size,
      dispatched: seen.dispatched.size,
      intents: calls.intents.size,
      orphans,
      lost,
      entries,
      startP50Ms,
      startMaxMs,
    }),
  );
  assert.equal(lost, 0, 'what a round saw is in the log of the last one');
  assert.ok(orphans > 0, 'no kill came between an intent and its outcome');
  assert.ok(asked > kills * clients, `only ${asked} calls were asked for`);
  // Last: how fast a busy machine starts says nothing of what was lost.
  assert.ok(startMaxMs < 5_000, `back after ${startMaxMs} ms`);
});
