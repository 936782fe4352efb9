// Claims about answers of any size and make: they hold up nobody else, and what they made at the provider is still known.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { plainly, responseJson } from '../../support/provider-answers.ts';
import { at } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});

const messages = [{ role: 'user', content: 'hello' }];
const chat = { body: { model: 'm', max_tokens: 1_000, messages } };
const usage = '"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}';
const megabytes = (count: number, piece: string) =>
  piece.repeat(Math.ceil((count * 1_000_000) / piece.length));

/** The provider sends these pieces as one body, as fast as they are taken. */
function send(pieces: readonly string[]): void {
  running.provider.answer(async (_asked, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    // Whoever asked may have had enough of it.
    await pipeline(Readable.from(pieces), response).catch(() => undefined);
  });
}

/** The longest that another request waits while the work lasts, in ms. */
async function waitedBeside<T>(work: Promise<T>): Promise<{ readonly result: T; readonly longest: number }> {
  let isDone = false;
  let longest = 0;
  const asking = (async () => {
    while (!isDone) {
      const began = performance.now();
      await running.call({ method: 'GET', path: '/healthz', key: undefined, body: '' });
      longest = Math.max(longest, performance.now() - began);
    }
  })();
  const result = await work;
  isDone = true;
  await asking;
  return { result, longest };
}

for (const [name, pieces] of [
  ['ten million empty choices', ['{"choices":[', ...Array(30).fill(megabytes(1, '{},')), `{}],${usage}}`]],
  ['a usage without end', ['{"choices":[],"usage":[', ...Array(8).fill(megabytes(1, '1,')), '1]}']],
] as const) {
  test(`an answer of ${name} is refused, charged as reserved, and holds up nobody`, async () => {
    send(pieces);
    const { result, longest } = await waitedBeside(running.call(chat));
    assert.equal(result.status, 502, result.text.slice(0, 200));
    assert.ok(longest < 1_500, `${longest} ms`);
    const record = await running.record(result.record());
    assert.deepEqual([at(record, 'status'), at(record, 'error')], ['failed', 'upstream_invalid']);
    assert.deepEqual([at(record, 'usage.output'), at(record, 'usage.source')], [1_000, 'estimated']);
  });
}

for (const [name, pieces] of [
  ['millions of levels', [`{"choices":[],"deep":${'['.repeat(4e6)}`, `${']'.repeat(4e6)},${usage}}`]],
  ['vectors', ['{"data":[{"embedding":[', ...Array(10).fill(megabytes(1, '-0.0123,')), `1]}],${usage}}`]],
  [
    'probabilities',
    ['{"choices":[{"logprobs":[', ...Array(8).fill(megabytes(1, '{"a":1},')), `1]}],${usage}}`],
  ],
] as const) {
  test(`an answer of ${name} passes byte for byte with its usage, and holds up nobody`, async () => {
    send(pieces);
    const path = name === 'vectors' ? '/v1/embeddings' : '/v1/chat/completions';
    const body = name === 'vectors' ? { model: 'm', input: 'hello' } : chat.body;
    const { result, longest } = await waitedBeside(running.call({ path, body }));
    assert.equal(result.status, 200, result.text.slice(0, 200));
    assert.ok(result.text === pieces.join(''));
    assert.ok(longest < 1_500, `${longest} ms`);
    const record = await running.record(result.record());
    assert.deepEqual(
      [at(record, 'status'), at(record, 'usage.source'), at(record, 'usage.input')],
      ['ok', 'provider', 7],
    );
  });
}

test('what a large answer made is its maker’s, and a large answer that breaks off is none', async () => {
  const text = megabytes(1, 'word "and" more\n');
  const json = responseJson({ ...plainly, id: 'resp_large', text });
  const body = { model: 'm', input: 'hi' };
  send([json]);
  assert.equal((await running.call({ path: '/v1/responses', body })).status, 200);
  running.provider.answer();
  const next = { ...body, previous_response_id: 'resp_large' };
  assert.equal((await running.call({ path: '/v1/responses', body: next })).status, 200);
  const other = await running.person('dora');
  assert.equal((await running.call({ key: other.key, path: '/v1/responses', body: next })).status, 404);
  for (const broken of [json.slice(0, -2), `${json}}`, json.replace('word', '\uD800').slice(0, -1)]) {
    send([broken]);
    assert.equal((await running.call({ path: '/v1/responses', body })).status, 502);
  }
});

test('what an endpoint that is passed through answers may have any form', async () => {
  await running.publish('@id("all") permit (principal, action, resource);');
  const pieces = ['[', ...Array(4).fill(megabytes(1, '{"id":"file_abc"},')), '{}]'];
  send(pieces);
  const path = '/providers/fake/v1/moderations';
  const answer = await running.call({ path, body: { model: 'm', input: 'hi' } });
  assert.deepEqual([answer.status, answer.text === pieces.join('')], [200, true], answer.text.slice(0, 200));
});
