// Claims about budgets and limits on a model: naming the model as a fallback passes none of them, and what ran is what counts.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { codeOf, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import { answerAs, beginStream, chatEvents, plainly } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
let dearId = '';
before(async () => {
  running = await startGateway();
  const { providerId, modelId } = running;
  const price = (input: number) => ({ price: { input, output: input } });
  await running.must('PATCH', `/models/${modelId}`, { upstreamName: 'up-m', ...price(1_000) });
  const dear = await running.must('POST', '/models', {
    name: 'dear',
    providerId,
    upstreamName: 'up-dear',
    aliases: ['precious'],
    ...price(100_000),
  });
  dearId = textAt(dear, 'id');
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});
beforeEach(() => running.provider.answer());

let made = 0;
async function budgetOn(id: string, limitNanos: number): Promise<() => Promise<number>> {
  made += 1;
  const scope = { kind: 'model', id };
  const values = { name: `on-model-${made}`, scope, period: 'total', limitNanos };
  const path = `/budgets/${textAt(await running.must('POST', '/budgets', values), 'id')}`;
  return async () => Number(at(await running.must('GET', path), 'usedNanos'));
}

/** What is held in all, and in each budget. */
function held(): readonly number[] {
  const { organizationId, server } = running;
  assert.ok(isId('org', organizationId));
  const { meter } = server.gateway.deps;
  const each = meter.budgets(organizationId).map(({ reservedNanos }) => reservedNanos);
  return [meter.reservedNanos(organizationId), ...each];
}
const isIdle = () => held().every((nanos) => nanos === 0);

const messages = [{ role: 'user', content: 'hi' }];
const chat = { model: 'm', max_tokens: 10, messages, models: ['up-dear'] };
const message = { model: 'm', max_tokens: 10, messages, fallbacks: [{ model: 'up-dear' }] };
const costOf = async (id: string) => Number(at(await running.record(id), 'usage.costNanos'));

test('what the dear model costs is counted on its budget, the others are given back, and usage names what ran', async () => {
  const onDear = await budgetOn(dearId, 1e12);
  const onCheap = await budgetOn(running.modelId, 1e12);
  for (const [said, isDear] of [
    ['up-m', false],
    ['up-m-2026-04-23', false],
    ['up-dear', true],
    ['up-dear-20260423', true],
    // A name that is nobody's: the dearest may have run.
    ['somebody', true],
  ] as const) {
    running.provider.answer(answerAs({ ...plainly, model: said }));
    for (const [path, body] of [
      ['/v1/chat/completions', chat],
      ['/v1/messages', message],
    ] as const) {
      const before = [await onDear(), await onCheap()];
      const answer = await running.call({ path, body });
      assert.equal(answer.status, 200, answer.text);
      const cost = await costOf(answer.record());
      assert.ok(cost > 0);
      const [dear = 0, cheap = 0] = before;
      assert.deepEqual(
        [await onDear(), await onCheap()],
        isDear ? [dear + cost, cheap] : [dear, cheap + cost],
        said,
      );
      const outcome: unknown = JSON.parse(textAt(await running.record(answer.record()), 'entries.1.text'));
      assert.equal(at(outcome, 'target.resource'), isDear ? dearId : running.modelId);
    }
  }
  assert.ok(isIdle(), held().join(' '));
  const usage = at(await running.must('GET', '/usage?groupBy=model'), 'items');
  assert.ok(Array.isArray(usage));
  const counts = new Map(usage.map((item) => [at(item, 'group.model'), at(item, 'costNanos')]));
  assert.deepEqual([counts.get('dear'), counts.get('m')], [await onDear(), await onCheap()]);
  for (const name of ['dear', 'precious']) {
    const only = await running.must('GET', `/usage?groupBy=model&model=${name}`);
    assert.deepEqual([at(only, 'items.0.group.model'), at(only, 'items.1')], ['dear', undefined]);
  }
});

test('a budget or limit on the fallback refuses the call before anything leaves', async () => {
  await budgetOn(dearId, 1);
  const sent = running.provider.dispatched();
  for (const call of [{ body: chat }, { path: '/v1/messages', body: message }]) {
    const refused = await running.call(call);
    assert.equal(refused.status, 429, refused.text);
  }
  assert.equal(running.provider.dispatched(), sent);
  assert.equal((await running.call({ body: { ...chat, models: ['up-m'] } })).status, 200);
  for (const budget of Object.values(Object(at(await running.must('GET', '/budgets'), 'items'))))
    await running.must('PATCH', `/budgets/${textAt(budget, 'id')}`, { limitNanos: 1e12 });
  const scope = { kind: 'model', id: dearId };
  const limit = await running.must('POST', '/rate-limits', { name: 'one', scope, tokensPerMinute: 1 });
  const limited = await running.call({ body: chat });
  assert.deepEqual([limited.status, codeOf(limited)], [429, 'rate_limited'], limited.text);
  await running.must('DELETE', `/rate-limits/${textAt(limit, 'id')}`);
});

test('50 parallel calls with a fallback, half of them left, overspend no budget and leave nothing held', async () => {
  const answer = await running.call({ body: chat });
  const intent: unknown = JSON.parse(textAt(await running.record(answer.record()), 'entries.0.text'));
  const worst = Number(at(intent, 'reserved.cost_nanos'));
  const onDear = await budgetOn(dearId, worst * 3);
  const already = await onDear();
  running.provider.answer((asked, response) => {
    beginStream(response);
    for (const event of chatEvents({ ...plainly, model: 'up-dear' }).slice(0, 2)) response.write(event);
    const isLeft = String(at(asked.json(), 'user')).endsWith('left');
    if (!isLeft)
      response.end(
        chatEvents({ ...plainly, model: 'up-dear' })
          .slice(2)
          .join(''),
      );
  });
  const calls = Array.from({ length: 50 }, (_, i) => {
    const isLeft = i % 2 === 0;
    const body = { ...chat, stream: true, user: isLeft ? 'left' : 'stays' };
    return running.call({ body, ...(isLeft ? { onChunk: (_: Buffer, leave: () => void) => leave() } : {}) });
  });
  const ended = await Promise.allSettled(calls);
  assert.ok(ended.some((call) => call.status === 'fulfilled' && call.value.status === 429));
  assert.ok(await until(isIdle), held().join(' '));
  assert.ok((await onDear()) - already <= worst * 3, `${await onDear()} of ${worst * 3}`);
});
