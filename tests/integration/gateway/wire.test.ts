// Claims about P12: bodies and events pass byte for byte, framing is ours, and what is ambiguous is refused.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { codeOf, startGateway, type TestGateway } from '../../support/gateway.ts';
import { beginStream, chatEvents, chatJson, sendJson } from '../../support/provider-answers.ts';
import { at, textAt } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});
beforeEach(() => running.provider.answer());

const messages = [{ role: 'user', content: 'hello' }];

test('a body reaches the provider byte for byte: blanks, order, escapes, numbers, unknown fields', async () => {
  const bodies = [
    '  {"model" :"m",\n\t"messages":[ {"content":"h\\u00e9llo \\ud83d\\ude00 é","role":"user"} ],"temperature":1.0e0,"x_unknown":{"deep":[1,2.50,{"a":null}]}}  ',
    '{"messages":[{"role":"user","content":"a","name":"n","x":1e-7}],"seed":9007199254740993,"model":"m","metadata":{"k":"v"}}',
  ];
  for (const body of bodies) {
    const answer = await running.call({ body });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(running.provider.newest().body.toString('utf8'), body);
    assert.equal(running.provider.newest().header('content-length'), String(Buffer.byteLength(body)));
  }
});

test('anthropic-beta and anthropic-version pass as a pair, with the query and the order of `system`', async () => {
  const body =
    '{"model":"c","max_tokens":9,"system":[{"type":"text","text":"b"},{"type":"text","text":"a"}],"messages":[{"role":"user","content":"x"}],"context_management":{"edits":[]}}';
  const headers = ['anthropic-beta', 'context-management-2025-06-27,x-1', 'anthropic-version', '2023-06-01'];
  const answer = await running.call({ path: '/v1/messages?beta=true', headers, body });
  assert.equal(answer.status, 200, answer.text);
  const sent = running.provider.newest();
  assert.equal(sent.body.toString(), body);
  assert.equal(sent.path, '/v1/messages?beta=true');
  assert.equal(sent.header('anthropic-beta'), 'context-management-2025-06-27,x-1');
  assert.equal(sent.header('anthropic-version'), '2023-06-01');
  assert.equal(sent.header('x-api-key'), 'sk-ant-provider-key');
  assert.equal(sent.header('authorization'), undefined);
  assert.equal(sent.header('accept-encoding'), 'identity');
});

test("the provider's error bodies pass verbatim, with what a client needs to retry", async () => {
  const error = '{ "type":"error",  "error":{"type":"rate_limit_error","message":"slow down"} }\n';
  running.provider.answer((_asked, response) => {
    const headers = { 'content-type': 'application/json; x=1', 'retry-after': '7', 'request-id': 'req_up' };
    response.writeHead(429, { ...headers, 'anthropic-ratelimit-requests-remaining': '0' });
    response.end(error);
  });
  const answer = await running.call({ path: '/v1/messages', body: { model: 'c', max_tokens: 9, messages } });
  assert.equal(answer.status, 429);
  assert.equal(answer.text, error);
  assert.equal(answer.headers['content-type'], 'application/json; x=1');
  assert.equal(answer.headers['retry-after'], '7');
  assert.equal(answer.headers['request-id'], 'req_up');
  assert.equal(answer.headers['anthropic-ratelimit-requests-remaining'], '0');
});

test("neither the provider's framing nor its hop-by-hop headers reach the client", async () => {
  running.provider.answer((_asked, response) => {
    const hop = { connection: 'keep-alive, x-secret-hop', 'x-secret-hop': '1', 'keep-alive': 'timeout=99' };
    const bound = {
      'set-cookie': 'a=b',
      'alt-svc': 'h3=":443"',
      server: 'nginx',
      via: '1.1 x',
      trailer: 'x-t',
    };
    response.writeHead(200, {
      ...hop,
      ...bound,
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    });
    response.write(chatJson().slice(0, 20));
    response.write(chatJson().slice(20));
    response.addTrailers({ 'x-t': 'trailing' });
    response.end();
  });
  const answer = await running.call({ body: { model: 'm', messages } });
  assert.equal(answer.text, chatJson());
  assert.equal(answer.headers['content-length'], String(Buffer.byteLength(chatJson())));
  assert.equal(answer.headers['transfer-encoding'], undefined);
  for (const name of ['x-secret-hop', 'set-cookie', 'alt-svc', 'server', 'via', 'trailer', 'x-t'])
    assert.equal(answer.headers[name], undefined, name);
  assert.ok(!(answer.headers['keep-alive'] ?? '').includes('99'));
});

test('the events of a stream pass byte for byte, comments and odd line ends too', async () => {
  const events = `: ping\r\n\r\n${chatEvents().slice(0, -1).join('')}event: x\ndata:no blank\n\n${chatEvents().at(-1)}`;
  running.provider.answer((_asked, response) => {
    beginStream(response);
    response.end(events);
  });
  const answer = await running.call({ body: { model: 'm', stream: true, messages } });
  assert.equal(answer.text, events);
  assert.equal(answer.headers['content-type'], 'text/event-stream');
});

const garbage: readonly (readonly [string, readonly (string | Buffer)[]])[] = [
  ['invalid UTF-8', [Buffer.from('data: {"a":"\xff\xfe"}\n\n', 'latin1')]],
  ['an event without end', Array.from({ length: 40 }, () => `data: ${'x'.repeat(65_536)}`)],
  ['a NUL', ['data: {"a":"\u0000"}\n\nid: \u0000\n\n']],
];
for (const [name, parts] of garbage) {
  test(`a stream with ${name} ends that stream, and the server goes on (FAULTS 14)`, async () => {
    running.provider.answer((_asked, response) => {
      beginStream(response);
      for (const part of parts) response.write(part);
      response.end();
    });
    const answer = await running.call({ body: { model: 'm', stream: true, messages } });
    assert.equal(answer.status, 200);
    assert.ok(!answer.body.includes(0xff) && answer.body.length < 1_200_000, String(answer.body.length));
    assert.notEqual(at(await running.record(answer.record()), 'status'), undefined);
    running.provider.answer();
    assert.equal((await running.call({})).status, 200);
  });
}

test('an encoded answer or a redirect is refused: identity was asked for, and nobody is followed (FAULTS 14)', async () => {
  const before = running.provider.dispatched();
  for (const head of [
    [200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
    [302, { location: 'http://169.254.169.254/' }],
  ] as const) {
    running.provider.answer((_asked, response) => {
      response.writeHead(head[0], head[1]);
      response.end('x');
    });
    const answer = await running.call({ body: { model: 'm', messages } });
    assert.equal(answer.status, 502);
    assert.equal(codeOf(answer), 'upstream_invalid');
    // What a body under an encoding cost nobody can read; a redirect is no answer.
    const isCharged = at(await running.record(answer.record()), 'usage') !== undefined;
    assert.equal(isCharged, head[0] === 200);
  }
  assert.equal(running.provider.dispatched(), before + 2);
});

test('a provider at an address that may not be called is told apart from one that is down', async () => {
  const provider = { name: 'inside', kind: 'openai_compatible', apiKey: 'sk-inside-provider-key' };
  const made = await running.must('POST', '/providers', { ...provider, baseUrl: 'http://169.254.169.254' });
  await running.must('POST', '/models', { name: 'hidden', providerId: textAt(made, 'id') });
  const answer = await running.call({ body: { model: 'hidden', messages } });
  assert.equal(answer.status, 502);
  assert.match(answer.text, /may not be called from this server: tell your administrator/);
  assert.equal(answer.text.includes('169.254'), false);
});

test('JSON keys that repeat, or differ only in case from one that is read, are refused', async () => {
  const before = running.provider.dispatched();
  for (const body of [
    '{"model":"m","model":"other","messages":[]}',
    '{"model":"m","Model":"other","messages":[]}',
    '{"model":"m","\\u006dodel":"other","messages":[]}',
    '{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}',
    '{"model":"m","messages":[],"stream":false,"STREAM":true}',
  ]) {
    const answer = await running.call({ body });
    assert.equal(answer.status, 400, body);
    assert.equal(codeOf(answer), 'invalid_request');
  }
  assert.equal(running.provider.dispatched(), before);
});

test('bodies that are no prompt are refused: no JSON, bad UTF-8, a byte order mark, an encoding, too many bytes', async () => {
  const before = running.provider.dispatched();
  const text = JSON.stringify({ model: 'm', messages });
  const bad = [
    { body: '' },
    { body: '[]' },
    { body: `${text}x` },
    { body: `\ufeff${text}` },
    { body: Buffer.from(text.replace('hello', '\xff'), 'latin1') },
    { body: text, headers: ['content-encoding', 'gzip'] },
    { body: '['.repeat(100_000) },
  ];
  for (const one of bad) {
    const { status } = await running.call(one);
    assert.ok(status === 400 || status === 415, `${status} ${String(one.body).slice(0, 30)}`);
  }
  assert.equal(running.provider.dispatched(), before);
});

test('HEAD / is answered without a credential (Claude Code asks it first)', async () => {
  const answer = await running.call({ method: 'HEAD', path: '/', key: undefined, body: '' });
  assert.equal(answer.status, 200);
});

test('a retry happens only where the provider says so, once, and each attempt has its own intent', async () => {
  const origin = { kind: 'openai_compatible', baseUrl: running.provider.origin, apiKey: 'k' };
  const retrying = { ...origin, name: 'retrying', retryStatuses: [503] };
  const providerId = at(await running.must('POST', '/providers', retrying), 'id');
  await running.must('POST', '/models', { name: 'r', providerId });
  const failFirst = (count: number, status: number): void => {
    let left = count;
    running.provider.answer((_asked, response) => {
      left -= 1;
      if (left >= 0) sendJson(response, '{"error":{"message":"no"}}', status);
      else sendJson(response, chatJson());
    });
  };
  for (const [model, failures, status, dispatched, final] of [
    ['r', 1, 503, 2, 200],
    ['r', 2, 503, 2, 503],
    ['r', 1, 500, 1, 500],
    ['m', 1, 503, 1, 503],
  ] as const) {
    failFirst(failures, status);
    const before = running.provider.dispatched();
    const answer = await running.call({ body: { model, messages } });
    assert.equal(running.provider.dispatched() - before, dispatched);
    assert.equal(answer.status, final);
    const list = at(await running.must('GET', '/records?limit=10'), 'items');
    assert.ok(Array.isArray(list));
    const mine = list.filter((item) => at(item, 'requestId') === answer.headers['x-request-id']);
    assert.equal(mine.length, dispatched, 'one record for each attempt');
    assert.ok(mine.every((item) => typeof at(item, 'status') === 'string'));
    if (dispatched === 2) assert.equal(textAt(mine[1], 'error'), 'retried');
  }
});

test('answers name their record and policy, and refusals keep to the dialect of their caller', async () => {
  const answer = await running.call({});
  assert.match(answer.headers['x-request-id'] ?? '', /^req_/);
  assert.equal(at(await running.record(answer.record()), 'requestId'), answer.headers['x-request-id']);
  assert.match(answer.headers['x-countersign-policy'] ?? '', /^\d+$/);
  const openai = await running.call({ key: undefined });
  assert.equal(at(openai.json(), 'error.code'), 'authentication_failed');
  const anthropic = await running.call({ key: undefined, path: '/v1/messages' });
  assert.equal(at(anthropic.json(), 'type'), 'error');
  assert.equal(at(anthropic.json(), 'error.type'), 'authentication_error');
});
