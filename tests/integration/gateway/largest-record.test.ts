// Holds the record of a call to its bound: whatever a client says of itself, the call is recorded or refused before it is decided.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mostTeams } from '@countersign/core/directory/objects';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { codeOf, type RawAnswer, startGateway, type TestGateway } from '../../support/gateway.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

const messages = [{ role: 'user', content: 'hello' }];
/** Members that take six bytes a character in the record. */
const metadata = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`m${i}`, '\u0001'.repeat(200)]));

test('a client that says all it can of itself is served, and its record holds as much of that as fits', async () => {
  const headers = [
    'x-countersign-tags',
    Array.from({ length: 8 }, (_, i) => `tag-${i}-${'x'.repeat(120)}`).join(','),
    'x-countersign-task',
    't'.repeat(400),
  ];
  const answer = await running.call({
    key: running.modelsKey,
    headers,
    body: { model: 'm', messages, metadata },
  });
  assert.equal(answer.status, 200, answer.text);
  const record = await running.record(answer.record());
  assert.equal(textAt(record, 'status'), 'ok');
  const entry: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  const tags = at(entry, 'ctx.claimed.tags');
  assert.ok(Array.isArray(tags) && tags.length > 10, 'as many as fit');
  assert.ok(JSON.stringify(tags).length < 4_200);
  assert.ok(textAt(record, 'entries.0.text').length < 16_384);
});

test('a body that names more models and tools than a record holds is refused before it is decided', async () => {
  const sent = running.provider.dispatched();
  const names = Array.from({ length: 60 }, (_, i) => `vendor/${i}-${'n'.repeat(100)}`);
  const tools = names.map((server_label) => ({ type: 'mcp', server_label, server_url: 'https://a.example' }));
  for (const [path, body] of [
    ['/v1/chat/completions', { model: 'm', messages, models: names }],
    ['/v1/responses', { model: 'm', input: 'hello', tools }],
  ] as const) {
    const answer = await running.call({ path, key: running.modelsKey, body });
    assert.equal(answer.status, 400, answer.text);
    assert.equal(codeOf(answer), 'invalid_request');
    assert.match(answer.text, /too many models and tools/);
  }
  assert.equal(running.provider.dispatched(), sent);
});

/** All that a caller can make a record longer by: tags, and hosted tools. */
const padding = {
  tags: [
    'x-countersign-tags',
    Array.from({ length: 32 }, (_, i) => `tag-${i}-${'x'.repeat(118)}`).join(','),
    'x-countersign-task',
    't'.repeat(128),
  ],
  tools: Array.from({ length: 30 }, (_, i) => ({
    type: 'mcp',
    server_label: `${i}-${'n'.repeat(115)}`,
    server_url: 'https://a.example',
  })),
};

const padded = (key: string, input = 'hello') =>
  running.call({
    path: '/v1/responses',
    key,
    headers: padding.tags,
    body: { model: 'm', input, metadata, tools: padding.tools },
  });

async function entryOf(answer: RawAnswer): Promise<unknown> {
  return JSON.parse(textAt(await running.record(answer.record()), 'entries.0.text'));
}

test('a padded call that many rules forbid is denied by them, in its answer and in its record', async () => {
  const ids = Array.from({ length: 150 }, (_, i) => `no-${i}-`.padEnd(45, 'x'));
  const rules = ids.map((id) => `@id("${id}") forbid (principal, action, resource);`);
  await running.publish([defaultPolicyText, ...rules].join('\n'));
  const sent = running.provider.dispatched();
  const answer = await padded(running.modelsKey);
  assert.deepEqual([answer.status, codeOf(answer)], [403, 'policy_denied'], answer.text);
  assert.equal(running.provider.dispatched(), sent);
  assert.match(answer.text, /and 140 more forbid/);
  assert.ok(answer.text.includes(`${ids[9]}`) && !answer.text.includes(`${ids[10]}`), answer.text);
  const entry = await entryOf(answer);
  assert.deepEqual(
    [at(entry, 'status'), at(entry, 'policy.decision'), at(entry, 'policy.reason')],
    ['denied', 'deny', 'forbid'],
  );
  assert.deepEqual([at(entry, 'policy.rules'), at(entry, 'policy.more')], [ids.slice(0, 45), 105]);
  const tags = at(entry, 'ctx.claimed.tags');
  assert.ok(Array.isArray(tags) && tags.length > 10, 'the caller is recorded as they were');
  await running.publish(defaultPolicyText);
});

test('a person in as many teams as may be who pads a call is refused with a record, and served without the padding', async () => {
  const { workspaceId } = running;
  const person = await running.person('joiner');
  for (let i = 0; i < mostTeams; i += 1) {
    const teamId = textAt(await running.must('POST', '/teams', { name: `team-${i}`, workspaceId }), 'id');
    await running.must('POST', '/memberships', { principalId: person.id, teamId });
  }
  const errs = Array.from({ length: 30 }, (_, i) => `errs-${i}-`.padEnd(45, 'x'));
  const permits = Array.from({ length: 60 }, (_, i) => `yes-${i}-`.padEnd(45, 'x'));
  const rules = [
    ...permits.map((id) => `@id("${id}") permit (principal, action, resource);`),
    ...errs.map(
      (id) =>
        `@id("${id}") permit (principal, action, resource) when { context.tokens * ${2 ** 52} * 4096 > 0 };`,
    ),
  ];
  await running.publish([defaultPolicyText, ...rules].join('\n'));
  const sent = running.provider.dispatched();
  const refused = await padded(person.key, 'a@b.example, 4111 1111 1111 1111, DE89370400440532013000');
  assert.deepEqual([refused.status, codeOf(refused)], [413, 'payload_too_large'], refused.text);
  assert.equal(running.provider.dispatched(), sent);
  const entry = await entryOf(refused);
  assert.deepEqual(at(entry, 'policy.rules'), ['record_too_large']);
  assert.deepEqual(
    [at(entry, 'status'), at(entry, 'policy.decision'), at(entry, 'policy.reason'), at(entry, 'reserved')],
    ['refused', 'deny', 'record_too_large', undefined],
  );
  assert.deepEqual(
    [
      at(entry, 'ctx.claimed'),
      at(entry, 'ctx.hostedTools'),
      at(entry, 'ctx.labels'),
      at(entry, 'class.labels'),
    ],
    [{ tags: [] }, [], [], []],
  );
  const teams = at(entry, 'actor.teams');
  assert.ok(Array.isArray(teams) && teams.length === mostTeams, 'who acted is recorded whole');
  const served = await running.call({ key: person.key, body: { model: 'm', messages } });
  assert.equal(served.status, 200, served.text);
  const allowed = await entryOf(served);
  assert.deepEqual(
    [at(allowed, 'policy.decision'), at(allowed, 'policy.more_errors')],
    ['allow', errs.length - 22],
  );
  await running.publish(defaultPolicyText);
});
