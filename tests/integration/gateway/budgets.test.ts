// Claims about P9: budgets and limits hold under any concurrency, say which of them refused, and end with their calls.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { isId, type OrgId } from '@countersign/core/ids';
import { codeOf, type Person, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { chatJson, plainly, sendJson } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
  // One nano-unit for an input token, ten for an output token, whatever the table says.
  await running.must('PATCH', `/models/${running.modelId}`, { price: { input: 1_000, output: 10_000 } });
});
after(async () => {
  await running.stop();
});
beforeEach(() => running.provider.answer());

let people = 0;
async function someone(): Promise<Person> {
  people += 1;
  return running.person(`budgeted-${people}`);
}

async function budgetFor(id: string, limitNanos: number, more: object = {}): Promise<string> {
  const scope = { kind: 'person', id };
  const name = `b-${id.slice(-12)}`;
  const made = await running.must('POST', '/budgets', { name, scope, period: 'total', limitNanos, ...more });
  return textAt(made, 'id');
}

function orgId(): OrgId {
  const { organizationId } = running;
  if (!isId('org', organizationId)) throw new TypeError('no organization');
  return organizationId;
}

const held = (): number => running.server.gateway.deps.meter.reservedNanos(orgId());
const counted = () => running.server.gateway.deps.meter.budgets(orgId());

const small = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };
const spent = async (id: string): Promise<number> =>
  Number(at(await running.must('GET', `/budgets/${id}`), 'usedNanos'));

/** What one `small` call reserves, from its own intent. */
async function worstOf(key: string): Promise<number> {
  const answer = await running.call({ key, body: small });
  assert.equal(answer.status, 200, answer.text);
  const entry: unknown = JSON.parse(textAt(await running.record(answer.record()), 'entries.0.text'));
  return Number(at(entry, 'reserved.cost_nanos'));
}

test('500 parallel calls for the last unit of a budget overspend nothing (FAULTS 25)', async () => {
  const { id, key } = await someone();
  const worst = await worstOf(key);
  const budget = await budgetFor(id, worst * 3 + 1);
  // Each costs exactly what was reserved for it: nothing comes back for a fourth.
  running.provider.answer(async (_asked, response) => {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    sendJson(response, chatJson({ ...plainly, input: worst - 100, output: 10 }));
  });
  const already = await spent(budget);
  const before = running.provider.dispatched();
  const answers = await Promise.all(Array.from({ length: 500 }, () => running.call({ key, body: small })));
  const passed = answers.filter(({ status }) => status === 200).length;
  const refused = answers.filter(({ status }) => status === 429).length;
  assert.equal(passed + refused, 500);
  assert.equal(running.provider.dispatched() - before, passed);
  assert.ok(passed >= 1 && passed <= 3, `passed ${passed}`);
  assert.ok((await spent(budget)) <= worst * 3 + 1, `spent ${await spent(budget)} of ${worst * 3 + 1}`);
  assert.ok((await spent(budget)) > already);
  assert.equal(held(), 0);
});

test('litellm#40095: 8 concurrent first requests cannot all take a budget that has room for one', async () => {
  const { id, key } = await someone();
  const other = await someone();
  const worst = await worstOf(other.key);
  await budgetFor(id, worst);
  const answers = await Promise.all(Array.from({ length: 8 }, () => running.call({ key, body: small })));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
});

test('a budget is in force for the first call after its making was answered', async () => {
  for (let i = 0; i < 10; i += 1) {
    const { id, key } = await someone();
    await budgetFor(id, 0);
    assert.equal((await running.call({ key, body: small })).status, 429, `at try ${i}`);
  }
});

/** Answers of the reader on what budgets have spent arrive late, so that calls end between their reading and their arrival. */
function delaySpent(ms: number): () => void {
  const { reader } = running.server.store.threads;
  const { call } = reader;
  const late = async (...asked: Parameters<typeof call>): Promise<unknown> => {
    const answer = await call(...asked);
    if (asked[0] === 'spent')
      await new Promise((resolve) => {
        setTimeout(resolve, ms);
      });
    return answer;
  };
  Object.assign(reader, { call: late });
  return () => void Object.assign(reader, { call });
}

test('budgets that are made while calls end count every call once', async () => {
  const { id, key } = await someone();
  const undelay = delaySpent(30);
  const ask = async (): Promise<void> => {
    assert.equal((await running.call({ key, body: small })).status, 200);
  };
  let asked = 0;
  running.provider.answer(async (_asked, response) => {
    asked += 1;
    await new Promise((resolve) => {
      setTimeout(resolve, 4 * (asked % 12));
    });
    sendJson(response, chatJson());
  });
  const budgets: string[] = [];
  for (let n = 0; n < 10; n += 1) {
    const before = running.provider.dispatched();
    const calls = Array.from({ length: 12 }, ask);
    assert.ok(await until(() => running.provider.dispatched() === before + 12));
    // All are on their way now: they end before, while and after the budget's loading.
    budgets.push(await budgetFor(id, 1_000_000_000, { name: `meanwhile-${n}` }));
    await Promise.all(calls);
  }
  undelay();
  const usage = at(await running.must('GET', '/usage?groupBy=user'), 'items');
  const own = Array.isArray(usage) ? usage.find((item) => at(item, 'group.user') === id) : undefined;
  assert.equal(at(own, 'requests'), 120);
  // What the meter counts and refuses by, not what the records say.
  assert.deepEqual(
    counted().flatMap(({ budget, usedNanos }) => (budgets.includes(budget.id) ? [usedNanos] : [])),
    budgets.map(() => at(own, 'costNanos')),
  );
});

test('the refusal says which budget, how much of it is gone, and that a retry is of no use', async () => {
  const { id, key } = await someone();
  await budgetFor(id, 5);
  for (const path of ['/v1/chat/completions', '/v1/responses']) {
    const answer = await running.call({ key, path, body: { ...small, input: 'hi' } });
    assert.equal(answer.status, 429);
    assert.equal(codeOf(answer), 'budget_exceeded');
    assert.ok(textAt(answer.json(), 'error.message').includes(`b-${id.slice(-12)}`));
    assert.equal(answer.headers['x-should-retry'], 'false');
    const record = await running.record(answer.record());
    assert.equal(textAt(record, 'error'), 'budget_exceeded');
    assert.equal(textAt(record, 'status'), 'refused');
  }
  assert.equal(held(), 0);
});

test('litellm PR#36592: nothing stays reserved, whichever way calls end', async () => {
  const { id, key } = await someone();
  const budget = await budgetFor(id, 10_000_000);
  const stream = { ...small, stream: true };
  const ways: readonly (() => Promise<unknown>)[] = [
    () => running.call({ key, body: small }),
    () => running.call({ key, body: stream }),
    () => running.call({ key, body: stream, onChunk: (_chunk, leave) => leave() }),
    () => running.call({ key, body: { ...small, model: 'nope' } }),
    () => running.call({ key, body: '{"model":"m"' }),
    () => running.call({ key, body: { ...small, messages: [{ role: 'user', content: 'CUI//SP-CTI\nx' }] } }),
  ];
  await Promise.all(ways.flatMap((way) => [way(), way(), way()]));
  running.provider.answer((_asked, response) => sendJson(response, '{"error":{"message":"no"}}', 500));
  await running.call({ key, body: small });
  running.provider.answer((_asked, response) => {
    response.destroy();
  });
  await running.call({ key, body: small });
  running.provider.answer((_asked, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"choices":[');
    setTimeout(() => response.destroy(), 20);
  });
  await running.call({ key, body: stream });
  assert.ok(await until(() => held() === 0), `held ${held()}`);
  assert.ok((await spent(budget)) > 0);
});

test('a budget that only warns lets calls pass and records its alert once', async () => {
  const { id, key } = await someone();
  const budget = await budgetFor(id, 10, { action: 'warn' });
  assert.equal((await running.call({ key, body: small })).status, 200);
  assert.equal((await running.call({ key, body: small })).status, 200);
  assert.ok(
    await until(async () => {
      const items = at(await running.must('GET', '/records?type=alert'), 'items');
      return Array.isArray(items) && items.length > 0;
    }),
  );
  assert.ok((await spent(budget)) > 10);
});

test('a removed budget stops no call, a raised one lets calls pass', async () => {
  const { id, key } = await someone();
  const budget = await budgetFor(id, 0);
  assert.equal((await running.call({ key, body: small })).status, 429);
  await running.must('PATCH', `/budgets/${budget}`, { limitNanos: 10_000_000 });
  assert.equal((await running.call({ key, body: small })).status, 200);
  await running.must('PATCH', `/budgets/${budget}`, { limitNanos: 0 });
  assert.equal((await running.call({ key, body: small })).status, 429);
  await running.must('DELETE', `/budgets/${budget}`);
  assert.equal((await running.call({ key, body: small })).status, 200);
});

test('what remains of a rate limit falls call by call, and the refusal says which limit and when', async () => {
  const { id, key } = await someone();
  const limit = { name: `r-${id.slice(-12)}`, scope: { kind: 'person', id }, requestsPerMinute: 3 };
  await running.must('POST', '/rate-limits', limit);
  const remaining: (string | undefined)[] = [];
  for (let i = 0; i < 3; i += 1) {
    const answer = await running.call({ key, body: small });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-ratelimit-limit-requests'], '3');
    remaining.push(answer.headers['x-ratelimit-remaining-requests']);
  }
  assert.deepEqual(remaining, ['2', '1', '0']);
  const answer = await running.call({ key, body: small });
  assert.equal(answer.status, 429);
  assert.equal(codeOf(answer), 'rate_limited');
  assert.ok(answer.text.includes(limit.name));
  assert.ok(Number(answer.headers['retry-after']) >= 1);
  assert.notEqual(answer.headers['x-should-retry'], 'false');
});

test('no more calls run at a time than a limit allows, and a place is free again when one ends', async () => {
  const { id, key } = await someone();
  const limit = { name: `c-${id.slice(-12)}`, scope: { kind: 'person', id }, concurrent: 2 };
  await running.must('POST', '/rate-limits', limit);
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  running.provider.answer(async (_asked, response) => {
    await gate;
    sendJson(response, chatJson());
  });
  const before = running.provider.dispatched();
  const pending = [running.call({ key, body: small }), running.call({ key, body: small })];
  assert.ok(await until(() => running.provider.dispatched() === before + 2));
  const third = await running.call({ key, body: small });
  assert.equal(third.status, 429);
  assert.ok(third.text.includes(limit.name));
  open();
  for (const one of await Promise.all(pending)) assert.equal(one.status, 200);
  assert.equal((await running.call({ key, body: small })).status, 200);
});
