// Claims about what goes out beside a body: it is read as the body is, and the body goes out as what it was read as.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { codeOf, startGateway, type TestGateway } from '../../support/gateway.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

const key = `sk-ant-api03-${'aZ9kQ2mX7pLw4RtY8vBn3CdF6gHj1SsU5eWo0iKqNzMxTyVb'}`;
const json = ['content-type', 'application/json'];
const base64 = 'JVBERi0xLjcK'.repeat(100);

const besides = [
  { path: `/v1/chat/completions?note=${key}` },
  { path: `/v1/chat/completions?${key}` },
  { path: '/v1/chat/completions?note=%43%55%49//SP-CTI' },
  { path: '/v1/chat/completions?note=%43%55%49//SP-CTI&other=%ff' },
  { path: '/v1/chat/completions?note=%43%55%49//SP-CTI&other=100%' },
  { headers: ['user-agent', key, ...json] },
  { headers: ['anthropic-note', `a ${key}`, ...json] },
  { headers: ['anthropic-note', 'CUI//SP-CTI', ...json] },
  { headers: ['x-stainless-note', key, ...json] },
  { headers: [`anthropic-${key}`, 'true', ...json] },
  { headers: [`x-stainless-${key}`, 'v24.4.1', ...json] },
  { headers: ['x-codex-note', base64, ...json] },
];
test('a secret in the query or in a header that passes is found, and does not leave', async () => {
  for (const call of besides) {
    const before = running.provider.dispatched();
    const answer = await running.call(call);
    assert.deepEqual([answer.status, codeOf(answer)], [403, 'policy_denied'], JSON.stringify(call));
    assert.equal(running.provider.dispatched(), before);
  }
});

test('what is to be cut from a header refuses the call, which it cannot be cut from', async () => {
  await running.publish('@redact("email") permit (principal, action, resource);');
  const headers = ['user-agent', 'bot/1 (bob@example.com)', ...json];
  const answer = await running.call({ headers });
  assert.deepEqual([answer.status, codeOf(answer)], [403, 'policy_denied'], answer.text);
  await running.publish(defaultPolicyText);
});

test('what clients usually send beside a body holds nothing', async () => {
  const sdk = [
    'user-agent',
    'OpenAI/JS 6.1.0',
    'x-stainless-lang',
    'js',
    'x-stainless-runtime-version',
    'v24.4.1',
  ];
  const cli = [
    'user-agent',
    'claude-cli/2.0.14 (external, cli)',
    'anthropic-beta',
    'a-2025-05-14,b-2025-02-19',
  ];
  // Digits of versions and of session ids, which by chance have the form of an address or of a card.
  const numbered = [
    'user-agent',
    'app 14.21.21.46',
    'session_id',
    '5907818250729645',
    'x-codex-turn-id',
    '415-555-2671',
  ];
  for (const headers of [sdk, cli, numbered]) {
    const answer = await running.call({
      headers: [...headers, ...json],
      path: '/v1/chat/completions?beta=true',
    });
    assert.equal(answer.status, 200, answer.text);
    const record = await running.record(answer.record());
    assert.ok(JSON.stringify(record).includes('"labels":[]'), JSON.stringify(record));
  }
});

test('a body of another type or charset than it is read in is refused with 415, and leaves as JSON', async () => {
  for (const type of [
    'application/json; charset=utf-7',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-7',
    'application/x-www-form-urlencoded',
    'text/plain',
    '',
  ]) {
    const before = running.provider.dispatched();
    const answer = await running.call({ headers: ['content-type', type] });
    assert.equal(answer.status, 415, `${type} ${answer.text}`);
    assert.equal(running.provider.dispatched(), before);
  }
  const passed = {
    path: '/providers/fake/v1/x',
    headers: ['content-type', 'text/csv; charset=utf-7'],
    body: 'a',
  };
  assert.equal((await running.call(passed)).status, 415);
  for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
    const answer = await running.call({ headers: ['content-type', type] });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(running.provider.newest().header('content-type'), 'application/json');
  }
});
