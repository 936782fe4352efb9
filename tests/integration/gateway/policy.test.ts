// Claims about P2 and P10 on the wire: what policy denies does not leave, what it obliges is done and recorded.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { codeOf, type RawAnswer, startGateway, type TestGateway } from '../../support/gateway.ts';
import { checkPairs } from '../../support/pairs.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  assert.ok(checkPairs(running) > 0);
  await running.stop();
});
beforeEach(async () => {
  const { text } = { text: textAt(await running.must('GET', '/policy'), 'text') };
  if (text !== defaultPolicyText) await running.publish(defaultPolicyText);
});

const says = (content: unknown) => [{ role: 'user', content }];
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } };

/** The call is refused by policy with a recorded denial, and nothing has left. */
async function assertDenied(answer: RawAnswer, before: number, rule?: string): Promise<unknown> {
  assert.equal(answer.status, 403, answer.text);
  assert.equal(codeOf(answer), 'policy_denied');
  assert.equal(running.provider.dispatched(), before, 'it was dispatched');
  const record = await running.record(answer.record());
  assert.equal(textAt(record, 'decision'), 'deny');
  assert.equal(textAt(record, 'status'), 'denied');
  if (rule !== undefined) assert.deepEqual(at(record, 'rules'), [rule]);
  return record;
}

const banner = 'CUI//SP-CTI\nThe valve tolerances are below.';
const controlled = [
  { name: 'chat', path: '/v1/chat/completions', body: { model: 'm', messages: says(banner) } },
  {
    name: 'a chat stream',
    path: '/v1/chat/completions',
    body: { model: 'm', stream: true, messages: says(banner) },
  },
  { name: 'responses', path: '/v1/responses', body: { model: 'm', input: banner } },
  { name: 'a responses stream', path: '/v1/responses', body: { model: 'm', input: banner, stream: true } },
  { name: 'messages', path: '/v1/messages', body: { model: 'c', max_tokens: 9, messages: says(banner) } },
  {
    name: 'a messages stream',
    path: '/v1/messages',
    body: { model: 'c', max_tokens: 9, stream: true, messages: says(banner) },
  },
  {
    name: 'a system prompt',
    path: '/v1/messages',
    body: { model: 'c', max_tokens: 9, system: banner, messages: says('x') },
  },
  { name: 'completions', path: '/v1/completions', body: { model: 'm', prompt: banner } },
  { name: 'embeddings', path: '/v1/embeddings', body: { model: 'm', input: [banner] } },
  {
    name: 'a tool result',
    path: '/v1/chat/completions',
    body: { model: 'm', messages: [{ role: 'tool', tool_call_id: 'a', content: banner }] },
  },
] as const;
test('litellm#30728: a controlled prompt to an external model is refused on every endpoint, streamed or not', async () => {
  for (const { name, path, body } of controlled) {
    const before = running.provider.dispatched();
    const answer = await running.call({ path, body });
    const record = await assertDenied(answer, before, 'sensitive-prompts-stay-inside');
    const labels = at(record, 'labels');
    assert.ok(Array.isArray(labels) && labels.includes('controlled'), name);
    assert.ok(!JSON.stringify(record).includes('valve'), 'a record holds no prompt');
  }
});

test('the same prompt to the internal sandbox is allowed', async () => {
  const answer = await running.call({ body: { model: 'sandbox', messages: says(banner) } });
  assert.equal(answer.status, 200, answer.text);
});

test('what no detector can read is refused to an external model, and allowed inside', async () => {
  const parts = [{ type: 'text', text: 'what is this?' }, image];
  const pdf = { type: 'file', file: { file_data: `data:application/pdf;base64,${png}`, filename: 'a.pdf' } };
  for (const content of [
    parts,
    [pdf],
    [{ type: 'input_audio', input_audio: { data: png, format: 'wav' } }],
  ]) {
    const before = running.provider.dispatched();
    await assertDenied(await running.call({ body: { model: 'm', messages: says(content) } }), before);
  }
  const anthropic = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } };
  const before = running.provider.dispatched();
  const body = { model: 'c', max_tokens: 9, messages: says([anthropic]) };
  await assertDenied(await running.call({ path: '/v1/messages', body }), before);
  const inside = await running.call({ body: { model: 'sandbox', messages: says(parts) } });
  assert.equal(inside.status, 200, inside.text);
});

const hosted = [
  { path: '/v1/responses', body: { model: 'm', input: 'x', tools: [{ type: 'web_search' }] } },
  {
    path: '/v1/responses',
    body: {
      model: 'm',
      input: 'x',
      tools: [{ type: 'mcp', server_label: 'l', server_url: 'https://x.example.com' }],
    },
  },
  {
    path: '/v1/responses',
    body: { model: 'm', input: 'x', tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] },
  },
  {
    path: '/v1/messages',
    body: {
      model: 'c',
      max_tokens: 9,
      messages: says('x'),
      tools: [{ type: 'web_search_20250305', name: 'web_search' }],
    },
  },
  {
    path: '/v1/messages',
    body: {
      model: 'c',
      max_tokens: 9,
      messages: says('x'),
      mcp_servers: [{ type: 'url', url: 'https://x.example.com', name: 'n' }],
    },
  },
  { path: '/v1/chat/completions', body: { model: 'm', messages: says('x'), web_search_options: {} } },
] as const;
test('tools that the provider runs itself are denied by default, and allowed one by one by a rule', async () => {
  for (const { path, body } of hosted) {
    const before = running.provider.dispatched();
    await assertDenied(await running.call({ path, body }), before);
  }
  await running.publish(
    `${defaultPolicyText}\n@id("search") permit (principal, action == Action::"use_hosted_tool", resource) when { resource.hosted && resource.name == "web_search" };`,
  );
  const [search, mcp] = hosted;
  assert.equal((await running.call(search)).status, 200);
  const before = running.provider.dispatched();
  await assertDenied(await running.call(mcp), before);
});

test('redaction changes exactly the found bytes; the record says where and how much, not what', async () => {
  await running.publish('@id("r") @redact("email") permit (principal, action, resource);');
  const text =
    '{ "model":"m",  "messages":[{"role":"user","content":"Grüße an bob@example.com, \\u00e9 sofort"}] , "x_new":1.50}';
  const answer = await running.call({ body: text });
  assert.equal(answer.status, 200, answer.text);
  const sent = running.provider.newest().body.toString('utf8');
  const record = await running.record(answer.record());
  const entry: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  const splices = at(entry, 'policy.obligations.splices');
  assert.ok(Array.isArray(splices) && splices.length === 1, JSON.stringify(entry));
  const [splice] = splices;
  const [offset, removed, inserted] = ['offset', 'removed', 'inserted'].map((name) =>
    Number(at(splice, name)),
  );
  const [from = 0, cut = 0, put = 0] = [offset, removed, inserted];
  const original = Buffer.from(text, 'utf8');
  const leaving = Buffer.from(sent, 'utf8');
  assert.ok(
    original
      .subarray(from, from + cut)
      .toString('utf8')
      .includes('bob@example.com'),
  );
  assert.deepEqual(leaving.subarray(0, from), original.subarray(0, from));
  assert.deepEqual(leaving.subarray(from + put), original.subarray(from + cut));
  assert.ok(!sent.includes('bob@example.com') && sent.includes('Grüße an '));
  assert.ok(!textAt(record, 'entries.0.text').includes('bob@'));
  assert.equal(textAt(splice, 'purpose'), 'redaction');
});

test('an obligation sends the call to another model, which is decided on by itself', async () => {
  const inner = { name: 'inner', providerId: running.providerId, upstreamName: 'inner-upstream' };
  await running.must('POST', '/models', inner);
  await running.publish('@id("to-inner") @model("inner") permit (principal, action, resource);');
  const answer = await running.call({ body: { model: 'm', messages: says('x') } });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(at(running.provider.newest().json(), 'model'), 'inner-upstream');
  await running.publish(
    '@model("inner") permit (principal, action, resource); @id("no") forbid (principal, action, resource is Model) when { resource.name == "inner" };',
  );
  const before = running.provider.dispatched();
  await assertDenied(await running.call({ body: { model: 'm', messages: says('x') } }), before, 'no');
});

test('an alias and an upstream name change the one value `model`', async () => {
  const model = { name: 'fast', aliases: ['quick'], providerId: running.providerId, upstreamName: 'gpt-x' };
  await running.must('POST', '/models', model);
  const text = '{"messages":[{"role":"user","content":"model"}],"model" : "quick"}';
  assert.equal((await running.call({ body: text })).status, 200);
  assert.equal(running.provider.newest().body.toString(), text.replace('"quick"', '"gpt-x"'));
});

test('a token ceiling lowers what is asked, and leaves what asks for less', async () => {
  await running.publish('@max_tokens("100") permit (principal, action, resource);');
  for (const [asked, expected] of [
    [5_000, 100],
    [50, 50],
    [undefined, 100],
  ] as const) {
    const limit = asked === undefined ? {} : { max_completion_tokens: asked };
    assert.equal((await running.call({ body: { model: 'm', messages: says('x'), ...limit } })).status, 200);
    assert.equal(at(running.provider.newest().json(), 'max_completion_tokens'), expected);
  }
});

test('a requestable denial asks for an approval and dispatches nothing', async () => {
  await running.publish(
    'permit (principal, action, resource); @id("ask-first") @requestable("manager") forbid (principal, action == Action::"chat", resource);',
  );
  const before = running.provider.dispatched();
  const answer = await running.call({});
  assert.equal(answer.status, 403);
  assert.equal(codeOf(answer), 'approval_required');
  assert.equal(running.provider.dispatched(), before);
  assert.equal(textAt(await running.record(answer.record()), 'decision'), 'requestable');
});

test('an unknown model is 404 in the caller’s dialect, and recorded', async () => {
  for (const path of ['/v1/chat/completions', '/v1/messages']) {
    const answer = await running.call({ path, body: { model: 'nope', max_tokens: 9, messages: says('x') } });
    assert.equal(answer.status, 404);
    assert.equal(codeOf(answer), 'not_found');
    assert.equal(textAt(await running.record(answer.record()), 'error'), 'not_found');
  }
});

test('bifrost#2873: pass-through is denied by default, allowed by a rule on its path, and recorded', async () => {
  const usage = { method: 'GET', path: '/providers/fake/v1/usage?limit=3', body: '' };
  const before = running.provider.dispatched();
  await assertDenied(await running.call(usage), before);
  await running.publish(
    `${defaultPolicyText}\n@id("usage") permit (principal, action == Action::"passthrough", resource) when { resource.method == "GET" && resource.path like "/v1/usage*" };`,
  );
  const answer = await running.call(usage);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(running.provider.newest().path, '/v1/usage?limit=3');
  assert.deepEqual(at(await running.record(answer.record()), 'rules'), ['usage']);
  const former = await running.must('POST', '/policy/simulate', { text: defaultPolicyText, limit: 1 });
  assert.deepEqual([at(former, 'examined'), at(former, 'nowDenied')], [1, 1], 'a route is simulated too');
  const others = running.provider.dispatched();
  await assertDenied(
    await running.call({ ...usage, method: 'DELETE', path: '/providers/fake/v1/usage/f' }),
    others,
  );
  await assertDenied(await running.call({ ...usage, path: '/providers/fake/v1/batches' }), others);
});

test('a call to which more rules apply than a record lists is allowed: some are listed, the rest are counted', async () => {
  const ids = Array.from({ length: 400 }, (_, i) => `one-of-very-many-rules-with-a-long-name-${i}`);
  await running.publish(ids.map((id) => `@id("${id}") permit (principal, action, resource);`).join('\n'));
  const before = running.provider.dispatched();
  const answer = await running.call({ body: { model: 'm', max_tokens: 9, messages: says('x') } });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(running.provider.dispatched(), before + 1);
  const record = await running.record(answer.record());
  assert.deepEqual([at(record, 'status'), at(record, 'decision')], ['ok', 'allow']);
  const entry: unknown = JSON.parse(textAt(record, 'entries.0.text'));
  const rules = at(entry, 'policy.rules');
  assert.ok(Array.isArray(rules) && rules.length === 49, 'as many as fit 2,048 bytes');
  assert.deepEqual([rules, at(entry, 'policy.more')], [ids.slice(0, 49), 351]);
});

test('a policy with an error is refused with line and column, and changes nothing', async () => {
  const before = await running.must('GET', '/policy');
  for (const text of [
    'permit (principal, action,\n  resource',
    'permit (principal, action, resource) when { context.nope };',
  ]) {
    const answer = await running.api('PUT', '/policy', { text });
    assert.equal(answer.status, 422);
    assert.equal(textAt(answer.body, 'code'), 'policy_invalid');
    assert.match(textAt(answer.body, 'fields.0.path'), /^\d+:\d+$/);
  }
  assert.deepEqual(await running.must('GET', '/policy'), before);
  assert.equal((await running.call({})).status, 200);
});

test('an erring forbid denies', async () => {
  await running.publish(
    'permit (principal, action, resource); @id("errs") forbid (principal, action, resource) when { 9007199254740991 * 9007199254740991 * context.tokens > 0 };',
  );
  const before = running.provider.dispatched();
  await assertDenied(await running.call({}), before);
});
