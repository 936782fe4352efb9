// Claims about clients that go at a random byte (FAULTS row 15): the provider is stopped, the bill is settled.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isId } from '@countersign/core/ids';
import { startServer, textAt } from '../support/server.ts';
import { scale } from './bed.ts';
import { ask, keepAlive, quantile } from './client.ts';
import {
  assertAnsweredHaveOutcomes,
  assertDispatchedHaveIntents,
  assertNoOrphans,
  readLedger,
} from './ledger.ts';
import { answerPlainly, startFaultProvider } from './provider.ts';

const calls = scale(200, 10_000);
const parallel = 40;

/** A server in this process, so that its reservations can be read; its provider notes when it was cut. */
async function start(t: { readonly after: (end: () => Promise<unknown>) => void }) {
  const cutAt = new Map<string, number>();
  const answerSlowly = answerPlainly(20, 8);
  const provider = await startFaultProvider((call) => {
    call.response.once('close', () => {
      if (!call.response.writableFinished) cutAt.set(call.marker, performance.now());
    });
    return answerSlowly(call);
  });
  const running = await startServer({ env: { COUNTERSIGN_EGRESS_ALLOW: '127.0.0.1' } });
  t.after(async () => {
    await running.stop();
    await provider.close();
  });
  const made = await running.api('POST', '/providers', {
    name: 'fault',
    kind: 'openai_compatible',
    baseUrl: `${provider.url}/v1`,
    external: false,
  });
  await running.api('POST', '/models', { name: 'fault', providerId: textAt(made.body, 'id') });
  await running.api('POST', '/budgets', {
    name: 'all',
    scope: { kind: 'organization' },
    period: 'total',
    limitNanos: 9_000_000_000_000,
    warnAtPercent: 90,
    action: 'stop',
  });
  const get = async (path: string, accept: string): Promise<Response> =>
    fetch(`${running.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${running.managementKey}`, accept },
    });
  const ledger = readLedger({
    fetchText: async (path) => (await get(path, 'application/json')).text(),
    fetchBytes: async (path) =>
      new Uint8Array(await (await get(path, 'application/octet-stream')).arrayBuffer()),
  });
  return { running, provider, ledger, cutAt };
}

test(`row 15: of ${calls} clients that go at a random byte each stops its provider within a second and is settled`, {
  timeout: 3_600_000,
}, async (t) => {
  const { running, provider, ledger, cutAt } = await start(t);
  const { url, modelsKey: key } = running;
  const agent = keepAlive();
  const goneAt = new Map<string, number>();
  const answered = new Set<string>();
  let next = 0;
  async function one(marker: string, isStream: boolean): Promise<void> {
    // A stream has about 4,000 bytes; some clients go before the first, a few after the last.
    const bytes = Math.floor(Math.random() * 4_500);
    const reply = await ask({
      url,
      key,
      marker,
      isStream,
      agent,
      onRequest: (request) => {
        const go = (): void => {
          goneAt.set(marker, performance.now());
          request.destroy();
        };
        if (bytes < 900 || !isStream) setTimeout(go, Math.random() * 160);
        let seen = 0;
        request.once('response', (response) =>
          response.on('data', (chunk: Buffer) => {
            seen += chunk.length;
            if (seen >= bytes && !goneAt.has(marker)) go();
          }),
        );
      },
    });
    if (reply.isAnswered) answered.add(marker);
  }
  const workers = Array.from({ length: parallel }, async () => {
    while (next < calls) {
      const n = next;
      next += 1;
      await one(`${n}`, n % 4 !== 3);
    }
  });
  await Promise.all(workers);
  agent.destroy();
  const idle = performance.now();
  const { meter, activeCalls, recorder } = running.server.gateway.deps;
  while (activeCalls.count() + recorder.pending() + provider.open() > 0 && performance.now() - idle < 3_000)
    await sleep(5);
  assert.equal(provider.open(), 0, 'every call at the provider was ended');
  assert.equal(activeCalls.count(), 0);
  const { organizationId } = running;
  assert.ok(isId('org', organizationId));
  assert.equal(meter.reservedNanos(organizationId), 0, 'nothing stays reserved');
  const late = [...cutAt].flatMap(([marker, at]) => {
    const gone = goneAt.get(marker);
    return gone === undefined ? [] : [at - gone];
  });
  assert.ok(late.length > calls / 4, `only ${late.length} providers were stopped`);
  assert.ok(
    quantile(late, 1) < 1_000,
    `a provider was stopped ${quantile(late, 1)} ms after its client went`,
  );
  const log = await ledger.read();
  assertNoOrphans(log);
  assertDispatchedHaveIntents(log, provider.dispatched);
  assertAnsweredHaveOutcomes(log, answered);
  let cancelled = 0;
  for (const [outcome] of log.outcomes.values()) {
    if (outcome?.status !== 'cancelled') continue;
    cancelled += 1;
    // A call that was cut while it was connecting cost nothing; every other one is billed, and flagged.
    if (outcome.usage !== undefined) assert.equal(outcome.usage.source, 'estimated');
  }
  assert.ok(cancelled > calls / 4, `only ${cancelled} calls were cancelled`);
  await ledger.verify();
  t.diagnostic(
    `${late.length} providers stopped, p50 ${quantile(late, 0.5).toFixed(1)} ms, max ${quantile(late, 1).toFixed(1)} ms after the client; ` +
      `${log.intents.size} intents, ${cancelled} cancelled, 0 reserved`,
  );
});
