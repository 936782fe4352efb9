// Claims about a PostgreSQL that hangs and resets nothing (FAULTS row 9): every wait ends, and nothing is lost or counted twice.

import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startPostgres } from '../support/postgres.ts';
import { at, requestApi } from '../support/server.ts';
import { startStallingProxy } from '../support/stalling-proxy.ts';
import { type Bed, makeBed, scale } from './bed.ts';
import { keepAlive, quantile, type Reply } from './client.ts';
import {
  assertAnsweredHaveOutcomes,
  assertDispatchedHaveIntents,
  assertNoOrphans,
  outcomeOf,
  readLedger,
  settledCalls,
} from './ledger.ts';
import { answerPlainly } from './provider.ts';

const { cluster, skip } = await startPostgres();
after(() => cluster?.stop());
const partitionMs = scale(6_000, 30_000);

async function makePostgresBed(t: TestContext, gapMs: number) {
  if (cluster === undefined) throw new Error('skipped tests make no database');
  const direct = await cluster.createDatabase();
  const url = new URL(direct);
  const proxy = await startStallingProxy({ host: url.hostname, port: Number(url.port) });
  url.port = String(proxy.port);
  const env = { DATABASE_URL: url.href, COUNTERSIGN_MASTER_KEY: '9'.repeat(64) };
  const bed = await makeBed(t, { answer: answerPlainly(4, gapMs), env });
  t.after(proxy.close);
  return { bed, proxy, direct };
}

type Timed = { readonly askedAt: number; readonly ms: number; readonly status: number };
type Asked = Timed & { readonly marker: string; readonly reply: Reply };

/** Does something over and over, with a pause after what did not go well, until it is told to stop. */
function repeat<T extends Timed>(workers: number, once: (name: string) => Promise<T>) {
  const all: T[] = [];
  let isOver = false;
  const running = Array.from({ length: workers }, async (_, worker) => {
    for (let n = 0; !isOver; n += 1) {
      const one = await once(`${worker}-${n}`);
      all.push(one);
      if (one.status !== 200) await sleep(20);
    }
  });
  return {
    all,
    stop: async () => {
      isOver = true;
      await Promise.all(running);
    },
  };
}

async function timed(ask: () => Promise<number>): Promise<Timed> {
  const askedAt = performance.now();
  const status = await ask();
  return { askedAt, status, ms: performance.now() - askedAt };
}

/** Everybody who asks something of the server: calls, those who may not call, administrators, and a load balancer. */
function everybody(bed: Bed) {
  const agent = keepAlive();
  const { url } = bed.server();
  const status = (path: string, key: string) => async () =>
    (await requestApi(url, key, 'GET', path, undefined)).status;
  // The id of a key that is known, with another secret; and a key that nobody has ever had.
  const wrongSecret = `${bed.keys.modelsKey.slice(0, -8)}AAAAAAAA`;
  const groups = {
    calls: repeat<Asked>(8, async (marker) => {
      const askedAt = performance.now();
      const reply = await bed.ask({ marker, isStream: marker.startsWith('1'), agent });
      return { marker, reply, askedAt, ms: reply.ms, status: reply.status };
    }),
    health: repeat(1, async () => {
      await sleep(20);
      return timed(async () => (await fetch(`${url}/healthz`)).status);
    }),
    wrong: repeat(1, (marker) =>
      timed(async () => (await bed.ask({ marker, key: wrongSecret, agent })).status),
    ),
    none: repeat(1, (marker) =>
      timed(async () => (await bed.ask({ marker, key: 'sk-nobody', agent })).status),
    ),
    lists: repeat(4, () => timed(status('/users', bed.keys.managementKey))),
    projected: repeat(12, () => timed(status('/records?limit=1', bed.keys.managementKey))),
  };
  return {
    groups,
    stop: async () => {
      await Promise.all(Object.values(groups).map((group) => group.stop()));
      agent.destroy();
    },
  };
}

/** What was asked and answered between two times. */
const between = <T extends Timed>(all: readonly T[], from: number, to: number): readonly T[] =>
  all.filter(({ askedAt, ms }) => askedAt > from && askedAt + ms < to);
const p99 = (all: readonly Timed[]): number =>
  quantile(
    all.map(({ ms }) => ms),
    0.99,
  );

test(`row 9: PostgreSQL that hangs for ${partitionMs} ms without a reset means 503 within 3 s, others go on, and service returns`, {
  skip,
  timeout: 240_000,
}, async (t) => {
  const { bed, proxy } = await makePostgresBed(t, 3);
  const { groups, stop } = everybody(bed);
  const answered = (): number => groups.calls.all.filter(({ reply }) => reply.isAnswered).length;
  await sleep(1_500);
  // A busy machine may need longer for the first.
  for (let tries = 0; answered() <= 8 && tries < 100; tries += 1) await sleep(100);
  const good = answered();
  assert.ok(good > 8, `${good} calls before: ${groups.calls.all[0]?.reply.text}`);
  proxy.stall();
  const begun = performance.now();
  await sleep(200);
  // What had its intent before has left by now.
  const dispatched = [...bed.provider.dispatched.values()].reduce((sum, times) => sum + times, 0);
  await sleep(partitionMs - 200);
  const after = [...bed.provider.dispatched.values()].reduce((sum, times) => sum + times, 0);
  const back = performance.now();
  proxy.resume();
  const isBack = (): boolean =>
    groups.calls.all.some(({ reply, askedAt }) => reply.isAnswered && askedAt > back + 50);
  while (!isBack() && performance.now() - back < 20_000) await sleep(10);
  const healed = performance.now() - back;
  await sleep(1_500);
  const since = performance.now();
  await sleep(1_000);
  await stop();

  const during = Object.entries(groups).map(([name, { all }]) => {
    const meanwhile = between<Timed>(all, begun, back);
    return {
      name,
      meanwhile,
      statuses: new Set(meanwhile.map(({ status }) => status)),
      slowest: p99(meanwhile),
    };
  });
  t.diagnostic(
    `${good} answered before; meanwhile ${during.map(({ name, meanwhile, statuses, slowest }) => `${name}: ${meanwhile.length} answered ${[...statuses].join('/')} (p99 ${Math.round(slowest)} ms)`).join(', ')}; ` +
      `served again after ${Math.round(healed)} ms, ${proxy.open()} connections`,
  );
  const expected: { readonly [name: string]: readonly number[] } = {
    health: [200],
    wrong: [401],
    none: [401],
  };
  for (const { name, meanwhile, statuses, slowest } of during) {
    assert.deepEqual([...statuses], expected[name] ?? [503], name);
    // Those who need no commit and no database do not notice; the others learn of it in time.
    const limit = expected[name] === undefined ? 3_000 : 250;
    assert.ok(slowest < limit, `${name}: p99 was ${slowest} ms`);
    assert.ok(meanwhile.length >= 2, `${name}: only ${meanwhile.length} answers`);
  }
  assert.equal(after, dispatched, 'nothing leaves while no intent can be recorded');
  assert.ok(healed < 5_000, `served again after ${healed} ms`);
  for (const [name, { all }] of Object.entries(groups)) {
    const later = between<Timed>(all, since, Number.POSITIVE_INFINITY);
    assert.ok(later.length > 4, `${name}: full service after`);
    assert.deepEqual([...new Set(later.map(({ status }) => status))], expected[name] ?? [200], name);
  }
  const calls = await settledCalls(bed);
  assertDispatchedHaveIntents(calls, bed.provider.dispatched);
  assertAnsweredHaveOutcomes(
    calls,
    groups.calls.all.flatMap(({ marker, reply }) => (reply.isAnswered ? [marker] : [])),
  );
  assertNoOrphans(calls);
  await readLedger(bed).verify();
});

/** The first commit that writes to `table` a row of which `what` holds takes longer than the server waits. */
async function slowFirstCommit(
  t: TestContext,
  direct: string,
  table: string,
  what: string,
  seconds: number,
): Promise<void> {
  const client = new Client({ connectionString: direct });
  await client.connect();
  t.after(() => client.end());
  await client.query(
    `create sequence commits;
     create function wait_at_commit() returns trigger language plpgsql as
       $$ begin if ${what} and nextval('commits') = 1 then perform pg_sleep(${seconds}); end if; return null; end $$;
     create constraint trigger wait_at_commit after insert or update on ${table}
       deferrable initially deferred for each row execute function wait_at_commit()`,
  );
}

// What is owed is looked at once a second: while an intent is in doubt, or while the lock of an outcome can be waited for.
const late = [
  { phase: 'intent', seconds: 3 },
  { phase: 'outcome', seconds: 2.2 },
] as const;
for (const { phase, seconds } of late) {
  test(`row 9: the commit of an ${phase} that ends after it was given up leaves one intent with one outcome`, {
    skip,
    timeout: 60_000,
  }, async (t) => {
    const { bed, direct } = await makePostgresBed(t, 3);
    assert.equal((await bed.ask({ marker: 'before' })).status, 200);
    // Once that is projected, nothing but the late commit itself moves the head.
    await sleep(1_200);
    const isOfPhase = `position('"phase":"${phase}"'::bytea in new.bytes) > 0`;
    await slowFirstCommit(t, direct, 'entry_bundles', isOfPhase, seconds);
    const reply = await bed.ask({ marker: 'late' });
    assert.equal(reply.status, 503, reply.text);
    assert.equal(
      bed.provider.dispatched.has('late'),
      phase === 'outcome',
      'an intent in doubt is not dispatched',
    );
    // Until what is owed has been written, at the most.
    await sleep(4_000);
    assert.equal((await bed.ask({ marker: 'after' })).status, 200);
    const calls = await settledCalls(bed);
    assertNoOrphans(calls);
    assert.equal(calls.byMarker.get('late')?.length, 1, 'the intent did become durable');
    assert.equal(outcomeOf(calls, 'late').status, phase === 'intent' ? 'failed' : 'ok');
  });
}

test('row 9: what a projection counted whose commit was given up is not counted again', {
  skip,
  timeout: 60_000,
}, async (t) => {
  // The answer takes so long that its intent is projected alone, and its outcome alone.
  const { bed, direct } = await makePostgresBed(t, 400);
  await slowFirstCommit(t, direct, 'usage_daily', 'true', 2.2);
  assert.equal((await bed.ask({ marker: 'once' })).status, 200);
  await sleep(5_000);
  const usage = await bed.api('GET', '/usage?groupBy=model');
  assert.equal(at(usage, 'items.0.requests'), 1, JSON.stringify(usage));
});
