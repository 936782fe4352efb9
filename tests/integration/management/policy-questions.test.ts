// Claims about asking policy without calling anything: what would be decided, by which rule, over which values.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { policyCheck, policyExplain } from '@countersign/contract/policy-operations';
import { codeOf, startGateway, type TestGateway } from '../../support/gateway.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

const secret = 'the key is AKIAIOSFODNN7EXAMPLE';

async function check(question: object) {
  const asked = { principal: running.ownerId, model: 'm', ...question };
  return policyCheck.response.parse(await running.must('POST', '/policy/check', asked));
}

async function explain(question: object) {
  const asked = { principal: running.ownerId, model: 'm', ...question };
  return policyExplain.response.parse(await running.must('POST', '/policy/explain', asked));
}

test('what check says is what a call meets, and asking leaves no record and sends nothing', async () => {
  const records = async () => JSON.stringify(await running.must('GET', '/records?type=model_call'));
  const before = [await records(), running.provider.dispatched()];
  const clean = await check({ prompt: 'hello' });
  const found = await check({ prompt: secret });
  assert.deepEqual([clean.decision, clean.labels], ['allow', []]);
  assert.deepEqual([found.decision, found.rules], ['deny', ['sensitive-prompts-stay-inside']]);
  assert.ok(found.labels.includes('secret'), found.labels.join());
  assert.deepEqual([await records(), running.provider.dispatched()], before);
  for (const [content, { decision }] of [
    ['hello', clean],
    [secret, found],
  ] as const) {
    const answer = await running.call({ body: { model: 'm', messages: [{ role: 'user', content }] } });
    assert.equal(answer.status === 200 ? 'allow' : 'deny', decision, answer.text);
    if (answer.status !== 200) assert.equal(codeOf(answer), 'policy_denied');
  }
});

test('a service, an agent and an unknown principal are asked for as they would come', async () => {
  const { workspaceId, ownerId } = running;
  const made = await running.must('POST', '/services', { name: 'app', workspaceId });
  const agent = await running.must('POST', '/agents', { name: 'helper', workspaceId, ownerId });
  const idOf = (value: unknown): string => String(Object(value).id);
  const alone = await check({ principal: idOf(made) });
  assert.deepEqual([alone.decision, alone.rules], ['deny', ['a-person-stands-behind-every-call']]);
  assert.equal((await check({ principal: idOf(agent) })).decision, 'allow');
  const nobody = await running.api('POST', '/policy/check', { principal: 'usr_none', model: 'm' });
  assert.equal(nobody.status, 404);
});

test('explain shows every rule of the text: satisfied, not satisfied, in error, and out of scope', async () => {
  const text = `@id("elsewhere") permit (principal, action == Action::"embed", resource);
@id("small") permit (principal, action, resource) when { context.tokens < 1000 && context.labels.isEmpty() };
@id("other") forbid (principal, action, resource) when { context.tokens > 1000 };
@id("broken") permit (principal, action, resource) when { context.tokens * 9007199254740991 * 9007199254740991 > 0 };`;
  const { decision, rules, evaluated } = await explain({ prompt: 'hello', text });
  assert.deepEqual([decision, rules], ['allow', ['small']]);
  assert.deepEqual(
    evaluated.map(({ id, outcome }) => [id, outcome]),
    [
      ['elsewhere', 'out_of_scope'],
      ['small', 'satisfied'],
      ['other', 'not_satisfied'],
      ['broken', 'error'],
    ],
  );
  const [, small, other] = evaluated;
  assert.deepEqual(small?.conditions[0], {
    text: 'when context.tokens < 1000',
    value: 'true; context.tokens = 2',
  });
  assert.match(other?.conditions[0]?.value ?? '', /^false; context\.tokens = 2$/);
});

test('a supposed label that nothing finds is refused, as is one beside a prompt', async () => {
  const refusal = async (question: object): Promise<string> => {
    const asked = { principal: running.ownerId, model: 'm', ...question };
    for (const operation of ['check', 'explain']) {
      const { status, body } = await running.api('POST', `/policy/${operation}`, asked);
      assert.equal(status, 400, JSON.stringify(body));
      if (operation === 'explain') return String(Object(body).detail);
    }
    return '';
  };
  assert.match(await refusal({ labels: ['sercet'] }), /`sercet` is no label .*: did you mean `secret`\?/);
  assert.match(await refusal({ labels: ['secret,email'] }), /`secret,email` .*: give each label by itself/);
  assert.match(await refusal({ labels: ['project_x'] }), /: make a classifier for it first/);
  assert.match(await refusal({ labels: ['email'], prompt: 'hello' }), /in place of a `prompt`/);
  await running.must('POST', '/classifiers', { name: 'x', label: 'project_x', terms: ['xanadu'] });
  assert.deepEqual((await check({ labels: ['project_x', 'opaque'] })).labels, ['opaque', 'project_x']);
});

test('a supposed label brings the group that it would come with', async () => {
  const { decision, labels } = await check({ labels: ['api_key'] });
  assert.deepEqual([decision, labels], ['deny', ['api_key', 'secret']]);
});

test('a time, an address and labels may be supposed', async () => {
  await running.must('PATCH', '/organization', { networks: [{ name: 'office', cidrs: ['192.0.2.0/24'] }] });
  const text = `@id("office-hours") permit (principal, action, resource) when {
    context.network.contains("office") && context.time.hour >= 8 && context.time.weekday < 6 &&
    !context.labels.contains("email") };`;
  const there = { text, address: '192.0.2.7', at: '2026-11-23T09:00:00Z' };
  assert.equal((await check(there)).decision, 'allow');
  for (const otherwise of [
    { address: '198.51.100.1' },
    { at: '2026-11-23T07:59:59Z' },
    { at: '2026-11-22T09:00:00Z' },
    { labels: ['email'] },
  ])
    assert.equal((await check({ ...there, ...otherwise })).decision, 'deny', JSON.stringify(otherwise));
});
