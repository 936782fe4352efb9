// Claims that a call whose decision is taken again, or whose entry cannot be written, holds nothing of a budget afterwards.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { AppError } from '@countersign/core/errors';
import { isId, type OrgId } from '@countersign/core/ids';
import { serveInference } from '@countersign/server/gateway/inference';
import type { Recorded, ToRecord } from '@countersign/server/services/ledger/recorder';
import { chatCall, countingUpstream } from '../../support/call-in-process.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
  await running.must('PATCH', `/models/${running.modelId}`, { price: { input: 1_000, output: 10_000 } });
});
after(async () => {
  await running.stop();
});

function orgId(): OrgId {
  const { organizationId } = running;
  if (!isId('org', organizationId)) throw new TypeError('no organization');
  return organizationId;
}

const held = (): number => running.server.gateway.deps.meter.reservedNanos(orgId());
const body = JSON.stringify({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] });

type Record = (entry: ToRecord) => Promise<Recorded>;

/** Serves one call; `record` stands before the ledger, `nth` counts the call's entries from 1 on. */
async function serve(record: (nth: number, entry: ToRecord, write: Record) => Promise<Recorded>) {
  const { deps } = running.server.gateway;
  const sent: string[] = [];
  let nth = 0;
  const between = {
    ...deps,
    upstreamOf: () => countingUpstream((one) => void sent.push(one)),
    recorder: {
      ...deps.recorder,
      record(entry: ToRecord) {
        nth += 1;
        return record(nth, entry, deps.recorder.record);
      },
    },
  };
  const { call, reply, done } = chatCall(running.modelsKey, body, (count) => randomBytes(count));
  await serveInference(between, call, reply);
  return { ...(await done), sent: sent.length, entries: nth };
}

const full = (): AppError => new AppError('ledger_unavailable', 'the disk is full');

test('a decision that is taken again leaves nothing reserved of those before it', async () => {
  const heldThen: number[] = [];
  const outcome = await serve(async (nth, entry, write) => {
    heldThen.push(held());
    return nth <= 3 ? { kind: 'stale', version: entry.version } : write(entry);
  });
  assert.deepEqual([outcome.status, outcome.sent, outcome.entries], [200, 1, 5]);
  const [first = 0] = heldThen;
  assert.ok(first > 0);
  assert.deepEqual(heldThen, [first, first, first, first, 0], 'each decision holds its own worst case alone');
  assert.equal(held(), 0);
});

test('a call whose intent cannot be written leaves nothing reserved, and does not leave', async () => {
  const outcome = await serve(() => Promise.reject(full()));
  assert.deepEqual([outcome.refused, outcome.sent, held()], ['ledger_unavailable', 0, 0]);
});

test('a budget that is made after an outcome could not be written comes into force, and counts that call', {
  timeout: 30_000,
}, async () => {
  const outcome = await serve((nth, entry, write) => (nth === 2 ? Promise.reject(full()) : write(entry)));
  assert.deepEqual([outcome.refused, outcome.sent, held()], ['ledger_unavailable', 1, 0]);
  const scope = { kind: 'organization' };
  const made = await running.must('POST', '/budgets', {
    ...{ name: 'late', scope, period: 'total', limitNanos: 10_000_000 },
  });
  const answer = await running.call({});
  assert.equal(answer.status, 200, answer.text);
  const used = Number(at(await running.must('GET', `/budgets/${textAt(made, 'id')}`), 'usedNanos'));
  const own = Number(at(await running.record(answer.record()), 'usage.costNanos'));
  assert.ok(own > 0 && used > own, `${used} of which the second call was ${own}`);
});
