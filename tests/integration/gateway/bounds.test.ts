// Claims about what bounds a call's cost: a limit that its provider honours, in full, and no other.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { codeOf, type Person, startGateway, type TestGateway } from '../../support/gateway.ts';
import { chatJson, plainly, sendJson } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
const ceiling = 1_000;
before(async () => {
  running = await startGateway();
  // A nano-unit for a token of output, a hundredth of it for one of input.
  const price = { input: 10, output: 1_000 };
  await running.must('PATCH', `/models/${running.modelId}`, { price, outputCeiling: ceiling });
});
after(async () => {
  await running.stop();
});
beforeEach(() => running.provider.answer());

let people = 0;
async function someoneWith(limitNanos: number): Promise<Person & { readonly spent: () => Promise<number> }> {
  people += 1;
  const person = await running.person(`bounded-${people}`);
  const scope = { kind: 'person', id: person.id };
  const budget = await running.must('POST', '/budgets', {
    name: `bounds-${people}`,
    scope,
    period: 'total',
    limitNanos,
  });
  const path = `/budgets/${textAt(budget, 'id')}`;
  return { ...person, spent: async () => Number(at(await running.must('GET', path), 'usedNanos')) };
}

function held(): number {
  const { organizationId } = running;
  assert.ok(isId('org', organizationId));
  return running.server.gateway.deps.meter.reservedNanos(organizationId);
}

const messages = [{ role: 'user', content: 'hi' }];
const foreign = [
  { path: '/v1/chat/completions', body: { messages, max_output_tokens: 1 } },
  { path: '/v1/chat/completions', body: { messages, max_tokens: 0 } },
  // The provider of these tests only speaks the dialect: many such servers know `max_tokens` alone.
  { path: '/v1/chat/completions', body: { messages, max_completion_tokens: 1 } },
  { path: '/v1/responses', body: { input: 'hi', max_tokens: 1 } },
  { path: '/v1/completions', body: { prompt: 'hi', max_output_tokens: 1 } },
  { path: '/v1/chat/completions', body: { messages, max_tokens: 100, best_of: 10 } },
] as const;
for (const { path, body } of foreign) {
  test(`50 parallel calls overspend nothing by what bounds nothing: ${path} ${JSON.stringify(body)}`, async () => {
    const { key, spent } = await someoneWith(3_500);
    running.provider.answer(async (_asked, response) => {
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
      sendJson(response, chatJson({ ...plainly, input: 10, output: ceiling }));
    });
    const calls = Array.from({ length: 50 }, () =>
      running.call({ path, key, body: { model: 'm', ...body } }),
    );
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    assert.ok(statuses.includes(200) && statuses.includes(429), statuses.join(' '));
    assert.ok((await spent()) <= 3_500, `spent ${await spent()}`);
    assert.equal(held(), 0);
  });
}

test('a limit above the ceiling is reserved in full: a budget that has room for the ceiling alone refuses', async () => {
  const { key } = await someoneWith(10_000);
  const sent = running.provider.dispatched();
  const large = await running.call({ key, body: { model: 'm', messages, max_tokens: 128_000 } });
  assert.deepEqual([large.status, codeOf(large)], [429, 'budget_exceeded'], large.text);
  assert.equal(running.provider.dispatched(), sent);
  const open = await running.call({ key, body: { model: 'm', messages } });
  assert.equal(open.status, 200, open.text);
  const intent: unknown = JSON.parse(textAt(await running.record(open.record()), 'entries.0.text'));
  assert.equal(at(intent, 'reserved.out'), ceiling);
});

test('policy lowers what fallbacks may write, and refuses thinking for which it leaves no room', async () => {
  await running.publish('@id("short") @max_tokens("50") permit (principal, action, resource);');
  const asked = { model: 'm', messages, max_tokens: 40 };
  const fallbacks = [{ model: 'upstream-model', max_tokens: 4_000 }];
  await running.must('PATCH', `/models/${running.modelId}`, { upstreamName: 'upstream-model' });
  const lowered = await running.call({ path: '/v1/messages', body: { ...asked, fallbacks } });
  assert.equal(lowered.status, 200, lowered.text);
  assert.equal(at(running.provider.newest().json(), 'fallbacks.0.max_tokens'), 50);
  const intent: unknown = JSON.parse(textAt(await running.record(lowered.record()), 'entries.0.text'));
  assert.equal(at(intent, 'reserved.out'), 50);
  const sent = running.provider.dispatched();
  const thinking = { type: 'enabled', budget_tokens: 2_000 };
  const refused = await running.call({
    path: '/v1/messages',
    body: { ...asked, max_tokens: 4_000, thinking },
  });
  assert.deepEqual([refused.status, codeOf(refused)], [403, 'policy_denied'], refused.text);
  assert.match(refused.text, /fewer than `thinking` takes/);
  const told: unknown = JSON.parse(textAt(await running.record(refused.record()), 'entries.0.text'));
  assert.deepEqual([at(told, 'status'), at(told, 'policy.reason')], ['refused', 'obligation_unmet']);
  assert.equal(running.provider.dispatched(), sent);
});
