// Claims about what a call leaves beside its record: when a key was used, and what somebody should look at.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isId, makeId } from '@countersign/core/ids';
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

test('words of a client that may be about a person are commitments for policy and in the record, names and tokens stay', async () => {
  await running.publish('@id("all") permit (principal, action, resource);');
  const mail = 'person@example.com';
  const metadata = { mail, who: 'Alice Example', team: 'red', card: '4111111111111111' };
  const headers = ['x-countersign-task', 'write to Alice', 'x-litellm-tags', `${mail},blue`];
  const answer = await running.call({ headers, body: { model: 'm', messages: [], metadata } });
  assert.equal(answer.status, 200, answer.text);
  const refused = await running.call({ body: { model: mail, messages: [] } });
  assert.equal(refused.status, 404, refused.text);
  const named = { model: 'm', messages: [], models: [mail] };
  const fallback = await running.call({ body: named });
  assert.equal(fallback.status, 404, fallback.text);
  const entryOf = async (record: string): Promise<unknown> =>
    JSON.parse(textAt(await running.record(record), 'entries.0.text'));
  const entries = await Promise.all([answer, refused, fallback].map((one) => entryOf(one.record())));
  for (const said of [mail, 'Alice', '4111111111111111'])
    assert.equal(JSON.stringify(entries).includes(said), false, said);
  const tags = at(entries[0], 'ctx.claimed.tags');
  assert.ok(Array.isArray(tags));
  for (const form of [
    /^team=red$/,
    /^blue$/,
    /^mail=[0-9a-f]{32}$/,
    /^who=[0-9a-f]{32}$/,
    /^card=[0-9a-f]{32}$/,
  ])
    assert.equal(tags.filter((tag) => form.test(tag)).length, 1, String(form));
  assert.match(textAt(entries[0], 'ctx.claimed.task'), /^[0-9a-f]{32}$/);
  assert.match(textAt(entries[1], 'target.model'), /^[0-9a-f]{32}$/);
  // The same text is the same commitment: a rule can be written for it.
  const value = String(tags.find((tag) => /^mail=/.test(tag)));
  await running.publish(`@id("mail") permit (principal, action, resource)
    when { context.claimed.tags.contains("${value}") };`);
  assert.equal((await running.call({ body: { model: 'm', messages: [], metadata } })).status, 200);
  assert.equal(
    (await running.call({ body: { model: 'm', messages: [], metadata: { mail: 'a' } } })).status,
    403,
  );
});

test('the session of a coding client is a tag of its own beside a task, for policy and the record', async () => {
  await running.publish(`@id("session") permit (principal, action, resource)
    when { context.claimed has task && context.claimed.task == "review" && context.claimed.tags.contains("session=s1") };`);
  const session = ['x-claude-code-session-id', 's1'];
  const task = ['x-countersign-task', 'review'];
  // However many tags there are beside it.
  const many = ['x-countersign-tags', Array.from({ length: 40 }, (_, n) => `a${n}`).join()];
  const answer = await running.call({ headers: [...many, ...task, ...session] });
  assert.equal(answer.status, 200, answer.text);
  const entry: unknown = JSON.parse(textAt(await running.record(answer.record()), 'entries.0.text'));
  assert.equal(at(entry, 'ctx.claimed.task'), 'review');
  const tags = at(entry, 'ctx.claimed.tags');
  assert.ok(Array.isArray(tags) && tags.includes('session=s1'));
  await running.publish('@id("all") permit (principal, action, resource);');
  const alone = await running.call({ headers: session });
  const first: unknown = JSON.parse(textAt(await running.record(alone.record()), 'entries.0.text'));
  assert.deepEqual(at(first, 'ctx.claimed'), { tags: ['session=s1'], task: 's1' });
});

test('the agents of a coding client are tags, and the trace of a call is in both of its entries', async () => {
  await running.publish('@id("all") permit (principal, action, resource);');
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const said = ['x-claude-code-agent-id', 'a1', 'x-claude-code-parent-agent-id', 'a0'];
  const parent = ['traceparent', `00-${trace}-00f067aa0ba902b7-01`];
  const answer = await running.call({ headers: [...said, ...parent] });
  const record = await running.record(answer.record());
  const entries = [0, 1].map((i): unknown => JSON.parse(textAt(record, `entries.${i}.text`)));
  assert.deepEqual(at(entries[0], 'ctx.claimed'), { tags: ['agent=a1', 'parent-agent=a0'] });
  assert.deepEqual(
    entries.map((entry) => at(entry, 'trace')),
    [trace, trace],
  );
  for (const bad of [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `ff${parent[1]?.slice(2)}`, trace, 'no']) {
    const other = await running.call({ headers: ['traceparent', bad] });
    const entry: unknown = JSON.parse(textAt(await running.record(other.record()), 'entries.0.text'));
    assert.equal(at(entry, 'trace'), undefined, bad);
  }
});

test('whom a client claims to ask for reaches policy and the record as a commitment alone', async () => {
  const address = 'alice@example.com';
  const messages = [{ role: 'user', content: 'hello' }];
  const claimOf = async (body: object): Promise<string> => {
    const answer = await running.call({ body: { model: 'm', messages, ...body } });
    assert.equal(answer.status, 200, answer.text);
    const text = textAt(await running.record(answer.record()), 'entries.0.text');
    assert.ok(!text.includes(address));
    return textAt(JSON.parse(text), 'ctx.claimed.user');
  };
  const said = await claimOf({ user: address });
  assert.match(said, /^[0-9a-f]{32}$/);
  assert.equal(await claimOf({ safety_identifier: address }), said);
  assert.notEqual(await claimOf({ user: 'bob@example.com' }), said);
  const { organizationId } = running;
  assert.ok(isId('org', organizationId));
  const { commitClaim } = running.server.gateway.deps;
  const elsewhere = makeId('org', 0, new Uint8Array(10));
  assert.equal(commitClaim(organizationId, address), said);
  assert.notEqual(
    commitClaim(elsewhere, address),
    said,
    'organizations cannot compare whom their clients name',
  );
  await running.publish(`@id("alice") forbid (principal, action, resource)
    when { context.claimed has user && context.claimed.user == "${said}" };
    @id("all") permit (principal, action, resource);`);
  assert.equal((await running.call({ body: { model: 'm', messages, user: address } })).status, 403);
  assert.equal((await running.call({ body: { model: 'm', messages, user: 'bob' } })).status, 200);
});
