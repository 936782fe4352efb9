// Holds the record of a call to its bound: whatever a client says of itself, the call is recorded or refused before it is decided.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { codeOf, startGateway, type TestGateway } from '../../support/gateway.ts';
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
