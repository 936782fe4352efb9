// Claims about service tiers, speeds and regions: the dearest that a request asks for is reserved, what its answer tells is paid.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { codeOf, startGateway, type TestGateway } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import { beginStream, chatEvents, chatJson, plainly, sendJson } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
  const price = { input: 1_000, output: 1_000 };
  await running.must('PATCH', `/models/${running.modelId}`, { upstreamName: 'gpt-5', price });
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});
beforeEach(() => running.provider.answer());

const messages = [{ role: 'user', content: 'hi' }];
const chat = { model: 'm', max_tokens: 100, messages };
const tokens = plainly.input + plainly.output;

type Told = {
  readonly status: number;
  readonly reserved: number;
  readonly cost: number;
  readonly version: string;
};

async function ask(body: object, path = '/v1/chat/completions'): Promise<Told> {
  const answer = await running.call({ path, body });
  const record = await running.record(answer.record());
  const intent: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  const outcome: unknown = JSON.parse(textAt(record, 'entries.1.text'));
  return {
    status: answer.status,
    reserved: Number(at(intent, 'reserved.cost_nanos')),
    cost: Number(at(record, 'usage.costNanos')),
    version: textAt(outcome, 'usage.price_version'),
  };
}

/** A chat answer that tells a tier. */
function telling(service_tier: string): void {
  const whole: unknown = JSON.parse(chatJson());
  running.provider.answer((_asked, response) =>
    sendJson(response, JSON.stringify({ ...Object(whole), service_tier })),
  );
}

test('priority is reserved and paid at its price, and at the usual one where it was not granted', async () => {
  telling('default');
  const usual = await ask(chat);
  assert.deepEqual([usual.cost, usual.version], [tokens, 'model']);
  const denied = await ask({ ...chat, service_tier: 'priority' });
  // The body has more bytes with the tier in it.
  assert.ok(denied.reserved >= 2 * usual.reserved && denied.reserved < 2.2 * usual.reserved);
  assert.equal(denied.cost, tokens);
  telling('priority');
  const granted = await ask({ ...chat, service_tier: 'priority' });
  assert.deepEqual([granted.cost, granted.version], [2 * tokens, 'model*2000;modes-2026-11-28']);
  const unasked = await ask(chat);
  assert.equal(unasked.cost, 2 * tokens, 'a project that is set to priority is billed so');
  telling('flex');
  const flex = await ask({ ...chat, service_tier: 'flex' });
  assert.ok(flex.reserved >= usual.reserved);
  assert.equal(flex.cost, Math.ceil(tokens / 2));
});

test('a stream that tells its tier is paid by it, and one that breaks off by what was asked', async () => {
  running.provider.answer((_asked, response) => {
    beginStream(response);
    for (const event of chatEvents())
      response.write(event.replace('"created":1', '"created":1,"service_tier":"priority"'));
    response.end();
  });
  assert.equal((await ask({ ...chat, stream: true })).cost, 2 * tokens);
  running.provider.answer((_asked, response) => {
    beginStream(response);
    response.write(chatEvents()[0]);
    response.end();
  });
  const asked = await ask({ ...chat, stream: true, service_tier: 'priority' });
  assert.match(asked.version, /^model\*2000;/);
});

test('fast mode and a region of Anthropic multiply the price, as asked or as told', async () => {
  const path = '/v1/messages';
  const usual = await ask(chat, path);
  const fast = await ask({ ...chat, speed: 'fast', inference_geo: 'us' }, path);
  assert.equal(fast.cost, Math.ceil(usual.cost * 6.6));
  assert.ok(fast.reserved >= 6.6 * usual.reserved);
});

test('a tier of which no price is known is not the usual one, and a budget holds it', async () => {
  const { id, key } = await running.person('tiered');
  const usual = await ask(chat);
  const scope = { kind: 'person', id };
  const limitNanos = 2 * usual.reserved;
  await running.must('POST', '/budgets', { name: 'tiered', scope, period: 'total', limitNanos });
  const sent = running.provider.dispatched();
  const refused = await running.call({ key, body: { ...chat, service_tier: 'turbo' } });
  assert.deepEqual([refused.status, codeOf(refused)], [429, 'budget_exceeded'], refused.text);
  assert.equal(running.provider.dispatched(), sent);
  assert.equal((await running.call({ key, body: chat })).status, 200);
});

test("a model's own tiers stand above the table", async () => {
  const price = { input: 1_000, output: 1_000, serviceTiers: { priority: 1_500, turbo: 1_000 } };
  const changed = await running.must('PATCH', `/models/${running.modelId}`, { price });
  assert.deepEqual(at(changed, 'priceInForce.serviceTiers'), price.serviceTiers);
  telling('priority');
  assert.equal((await ask({ ...chat, service_tier: 'priority' })).cost, Math.ceil(1.5 * tokens));
  telling('turbo');
  assert.equal((await ask({ ...chat, service_tier: 'turbo' })).cost, tokens);
});
