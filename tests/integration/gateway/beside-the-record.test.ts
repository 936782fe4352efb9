// Claims about what a call leaves beside its record: when a key was used, and what somebody should look at.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { send, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

test('a key shows when it was last used, alone and in the list, and one that never was shows nothing', async () => {
  const used = await running.keyFor({ principalId: running.ownerId });
  const unused = await running.keyFor({ principalId: running.ownerId });
  const started = Math.floor(Date.now() / 60_000) * 60_000;
  assert.equal((await running.call({ key: used.key })).status, 200);
  const lastUsed = async (id: string) => at(await running.must('GET', `/keys/${id}`), 'lastUsedAt');
  assert.ok(await until(async () => (await lastUsed(used.id)) !== undefined));
  const moment = Date.parse(String(await lastUsed(used.id)));
  assert.ok(moment >= started && moment <= Date.now(), String(moment));
  assert.equal(await lastUsed(unused.id), undefined);
  const items = at(await running.must('GET', '/keys?limit=200'), 'items');
  assert.ok(Array.isArray(items));
  const listed = new Map(items.map((item) => [at(item, 'id'), at(item, 'lastUsedAt')]));
  assert.deepEqual(
    [used.id, unused.id].map((id) => listed.get(id)),
    [await lastUsed(used.id), undefined],
  );
});

test('a model that no table prices is charged at the default, and one alert names it', async () => {
  const { providerId } = running;
  const made = await running.must('POST', '/models', { name: 'unpriced-1', providerId });
  assert.equal(at(made, 'priceSource'), 'default');
  const body = { model: 'unpriced-1', messages: [{ role: 'user', content: 'hello' }] };
  for (let i = 0; i < 3; i += 1) assert.equal((await running.call({ body })).status, 200);
  const alerts = async () => {
    const items = at(await running.must('GET', '/records?type=alert&limit=200'), 'items');
    const ids = Array.isArray(items) ? items.map((item) => textAt(item, 'id')) : [];
    const records = await Promise.all(ids.map((id) => running.record(id)));
    return records
      .map((record): unknown => JSON.parse(textAt(record, 'entries.0.text')))
      .filter((entry) => at(entry, 'alert.model') === textAt(made, 'id'));
  };
  assert.ok(await until(async () => (await alerts()).length > 0));
  const all = await alerts();
  assert.equal(all.length, 1);
  assert.equal(at(all[0], 'alert.kind'), 'unknown_price');
});

test('a head over the limit is refused with 431, one below it is served', async () => {
  const filler = (bytes: number) => ['x-filler', 'x'.repeat(bytes)];
  assert.equal((await running.call({ headers: filler(30 * 1024) })).status, 200);
  const answer = await send(running.url, running.modelsKey, { headers: filler(33 * 1024) });
  assert.equal(answer.status, 431);
});

test('what a client says of its task and tags reaches policy as a claim, and the record', async () => {
  await running.publish(`@id("tagged") permit (principal, action, resource)
    when { context.claimed has task && context.claimed.task == "review" && context.claimed.tags.contains("team=red") };`);
  const said = ['x-countersign-task', 'review', 'x-countersign-tags', 'a, team=red'];
  const answer = await running.call({ headers: said });
  assert.equal(answer.status, 200, answer.text);
  const entry: unknown = JSON.parse(textAt(await running.record(answer.record()), 'entries.0.text'));
  assert.deepEqual(at(entry, 'ctx.claimed'), { tags: ['a', 'team=red'], task: 'review' });
  assert.equal((await running.call({ headers: ['x-countersign-task', 'review'] })).status, 403);
  const metadata = { model: 'm', messages: [], metadata: { team: 'red' } };
  assert.equal((await running.call({ headers: said.slice(0, 2), body: metadata })).status, 200);
});
