// Claims about a PostgreSQL that stops for a while under load (FAULTS row 7): refusals, then service, no loss.

import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../support/postgres.ts';
import { type Bed, makeBed, scale } from './bed.ts';
import { keepAlive, quantile, type Reply } from './client.ts';
import {
  assertAnsweredHaveOutcomes,
  assertDispatchedHaveIntents,
  assertNoOrphans,
  readLedger,
} from './ledger.ts';
import { startOutageProxy } from './outage-proxy.ts';
import { answerPlainly } from './provider.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());
const outageMs = scale(4_000, 30_000);

async function makePostgresBed(t: TestContext) {
  if (cluster === undefined) throw new Error('skipped tests make no database');
  const url = new URL(await cluster.createDatabase());
  const proxy = await startOutageProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  const env = { DATABASE_URL: url.href, COUNTERSIGN_MASTER_KEY: '7'.repeat(64) };
  const bed = await makeBed(t, { answer: answerPlainly(4, 3), env });
  t.after(() => proxy.close());
  return { bed, proxy };
}

type Timed = { readonly marker: string; readonly reply: Reply; readonly askedAt: number };

function loadOn(bed: Bed) {
  const agent = keepAlive();
  const all: Timed[] = [];
  let isOver = false;
  const workers = Array.from({ length: 8 }, async (_, worker) => {
    for (let n = 0; !isOver; n += 1) {
      const marker = `${worker}-${n}`;
      const askedAt = performance.now();
      const reply = await bed.ask({ marker, isStream: worker % 2 === 0, agent });
      all.push({ marker, reply, askedAt });
      if (!reply.isAnswered) await sleep(20);
    }
  });
  return {
    all,
    stop: async () => {
      isOver = true;
      await Promise.all(workers);
      agent.destroy();
    },
  };
}

test(`row 7: PostgreSQL that stops for ${outageMs} ms means 503 at once, service within 5 s of its return, and no loss`, {
  skip,
  timeout: 240_000,
}, async (t) => {
  const { bed, proxy } = await makePostgresBed(t);
  const load = loadOn(bed);
  await sleep(1_500);
  const good = load.all.filter(({ reply }) => reply.isAnswered).length;
  assert.ok(good > 8, `${good} calls before the outage: ${load.all[0]?.reply.text}`);
  const down = performance.now();
  await proxy.down();
  await sleep(outageMs);
  const dispatched = bed.provider.dispatched.size;
  const back = performance.now();
  await proxy.up();
  const isBack = (): boolean =>
    load.all.some(({ reply, askedAt }) => reply.isAnswered && askedAt + reply.ms > back + 50);
  while (!isBack() && performance.now() - back < 20_000) await sleep(10);
  const healed = performance.now() - back;
  await sleep(1_500);
  await load.stop();
  const during = load.all.filter(({ askedAt }) => askedAt > down + 200 && askedAt < back - 100);
  const refused = during.filter(({ reply }) => reply.status === 503);
  const slowest = quantile(
    refused.map(({ reply }) => reply.ms),
    1,
  );
  await sleep(2_500);
  const ledger = readLedger(bed);
  const calls = await ledger.read();
  t.diagnostic(
    `${good} answered before, ${refused.length} of ${during.length} asked meanwhile refused (slowest ${Math.round(slowest)} ms), ` +
      `served again after ${Math.round(healed)} ms, ${load.all.length} asked in all, ${dispatched} dispatched by the end of the outage`,
  );
  assert.ok(refused.length > 10 && refused.length === during.length, 'whoever asked meanwhile was refused');
  assert.ok(slowest < 1_000, `a refusal took ${slowest} ms`);
  assert.ok(healed < 5_000, `served again after ${healed} ms`);
  assertDispatchedHaveIntents(calls, bed.provider.dispatched);
  assertAnsweredHaveOutcomes(
    calls,
    load.all.flatMap(({ marker, reply }) => (reply.isAnswered ? [marker] : [])),
  );
  assertNoOrphans(calls);
  await ledger.verify();
});
