// Claims about P3 on a retried attempt: the second dispatch has a durable intent of its own, or it does not take place.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { entriesOnDisk, whileNothingCommits, whileRefusing } from '../../support/ledger-on-disk.ts';
import { checkPairs } from '../../support/pairs.ts';
import { chatJson, sendJson } from '../../support/provider-answers.ts';
import { at } from '../../support/server.ts';

const body = { model: 'r', messages: [{ role: 'user', content: 'hello' }] };
let running: TestGateway;
before(async () => {
  running = await startGateway();
  const provider = {
    name: 'retrying',
    kind: 'openai_compatible',
    baseUrl: running.provider.origin,
    apiKey: 'k',
    retryStatuses: [503],
  };
  const providerId = at(await running.must('POST', '/providers', provider), 'id');
  await running.must('POST', '/models', { name: 'r', providerId });
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});
beforeEach(() => {
  running.provider.onArrival(undefined);
  let isFirst = true;
  running.provider.answer((_asked, response) => {
    if (isFirst) sendJson(response, '{"error":{"message":"busy"}}', 503);
    else sendJson(response, chatJson());
    isFirst = false;
  });
});

/** What is on the disk of one call: phase, attempt and status, in the order of the log. */
function recordedOf(entries: readonly unknown[], requestId: string | undefined): readonly string[] {
  return entries
    .filter((entry) => at(entry, 'req') === requestId)
    .map((entry) => [at(entry, 'phase'), at(entry, 'attempt'), at(entry, 'status') ?? ''].join(' ').trim());
}

test('each of two attempts has its own intent on the disk before its first byte reaches the provider', async () => {
  const atArrivals: (readonly unknown[])[] = [];
  running.provider.onArrival(() => atArrivals.push(entriesOnDisk(running)));
  const answer = await running.call({ body });
  assert.equal(answer.status, 200);
  const requestId = answer.headers['x-request-id'];
  const first = ['intent 1'];
  const second = [...first, 'outcome 1 upstream_error', 'intent 2'];
  assert.deepEqual(
    atArrivals.map((entries) => recordedOf(entries, requestId)),
    [first, second],
  );
  assert.deepEqual(recordedOf(entriesOnDisk(running), requestId), [...second, 'outcome 2 ok']);
  const ids = entriesOnDisk(running).flatMap((entry) =>
    at(entry, 'req') === requestId && at(entry, 'phase') === 'intent' ? [at(entry, 'id')] : [],
  );
  assert.equal(new Set(ids).size, 2);
});

test('a second intent that cannot be written means no second dispatch, and 503', async () => {
  const before = running.provider.dispatched();
  await whileRefusing(running, '"attempt":2', async () => {
    const answer = await running.call({ body });
    assert.equal(answer.status, 503);
    assert.equal(codeOf(answer), 'ledger_unavailable');
    assert.equal(running.provider.dispatched(), before + 1, 'the first attempt only');
    const requestId = answer.headers['x-request-id'];
    assert.deepEqual(recordedOf(entriesOnDisk(running), requestId), ['intent 1', 'outcome 1 upstream_error']);
  });
  // What is owed for an intent that is not in the log is not written either.
  await sleep(1_500);
  assert.equal(running.provider.dispatched(), before + 1);
  const intents = entriesOnDisk(running).filter((entry) => at(entry, 'phase') === 'intent');
  const outcomes = entriesOnDisk(running).filter((entry) => at(entry, 'phase') === 'outcome');
  assert.deepEqual(
    outcomes.map((entry) => at(entry, 'intent')).sort(),
    intents.map((entry) => at(entry, 'id')).sort(),
  );
  assert.equal((await running.call({ body })).status, 200);
});

test('nothing is dispatched again while the records of a retry wait for their commit', async () => {
  const before = running.provider.dispatched();
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  let isFirst = true;
  running.provider.answer(async (_asked, response) => {
    if (!isFirst) return sendJson(response, chatJson());
    isFirst = false;
    arrive();
    await gate;
    sendJson(response, '{"error":{"message":"busy"}}', 503);
  });
  const pending = running.call({ body });
  await arrived;
  await whileNothingCommits(running, async (free) => {
    open();
    assert.equal(await until(() => running.provider.dispatched() > before + 1, 400), false);
    free();
  });
  assert.equal((await pending).status, 200);
  assert.equal(running.provider.dispatched(), before + 2);
});
