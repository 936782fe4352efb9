// Claims about answers that end before their end: a failure in the record, told to the client, never a faked end.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { isId } from '@countersign/core/ids';
import { defaultPolicyText } from '@countersign/core/policy/default-policy';
import { codeOf, type RawAnswer, startGateway, type TestGateway } from '../../support/gateway.ts';
import {
  beginStream,
  chatEvents,
  chatJson,
  messageEvents,
  messageJson,
  plainly,
  responseEvents,
  responseJson,
  sendJson,
} from '../../support/provider-answers.ts';
import { at } from '../../support/server.ts';

let running: TestGateway;
before(async () => {
  running = await startGateway();
});
after(async () => {
  await running.stop();
});
beforeEach(() => running.provider.answer());

const messages = [{ role: 'user', content: 'hello' }];
const completionJson = JSON.stringify({
  id: 'cmpl_1',
  object: 'text_completion',
  model: 'm',
  choices: [{ index: 0, text: 'Hello, auditor.', finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 3, total_tokens: 4 },
});
const completionEvents = [
  `data: ${JSON.stringify({ id: 'cmpl_1', choices: [{ index: 0, text: 'Hello, ', finish_reason: null }] })}\n\n`,
  `data: ${JSON.stringify({ id: 'cmpl_1', choices: [{ index: 0, text: 'auditor.', finish_reason: 'stop' }] })}\n\n`,
  'data: [DONE]\n\n',
];
const embeddingJson = JSON.stringify({
  object: 'list',
  model: 'm',
  data: [{ object: 'embedding', index: 0, embedding: Array.from({ length: 30_000 }, () => 0.25) }],
  usage: { prompt_tokens: 3, total_tokens: 3 },
});

/** `ends`: with which event of the stream the answer is whole. */
const faces = [
  {
    path: '/v1/chat/completions',
    body: { model: 'm', messages },
    json: chatJson(),
    events: chatEvents(),
    ends: /"finish_reason":"stop"/,
  },
  {
    path: '/v1/completions',
    body: { model: 'm', prompt: 'hello' },
    json: completionJson,
    events: completionEvents,
    ends: /"finish_reason":"stop"/,
  },
  {
    path: '/v1/responses',
    body: { model: 'm', input: 'hello' },
    json: responseJson(),
    events: responseEvents(),
    ends: /response\.completed/,
  },
  {
    path: '/v1/messages',
    body: { model: 'c', max_tokens: 100, messages },
    json: messageJson(),
    events: messageEvents(),
    ends: /"message_stop"/,
  },
] as const;

/** Everything of a text but its last bytes, as a server that frames by closing sends it: HTTP calls it whole. */
function closeAfter(response: ServerResponse, type: string, text: string): void {
  response.socket?.end(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\nconnection: close\r\n\r\n${text}`);
}

async function assertFailed(answer: RawAnswer, name: string): Promise<void> {
  const record = await running.record(answer.record());
  assert.equal(at(record, 'status'), 'failed', name);
  assert.equal(at(record, 'error'), 'upstream_invalid', name);
}

for (const { path, body, events, ends } of faces) {
  test(`${path}: a stream that closes before its end is a failure, told of as the last event, and billed`, async () => {
    const terminal = events.findIndex((event) => ends.test(event));
    assert.ok(terminal > 0);
    for (let kept = 0; kept <= terminal; kept += 1) {
      running.provider.answer((_asked, response) => {
        beginStream(response);
        response.end(events.slice(0, kept).join(''));
      });
      const answer = await running.call({ path, body: { ...body, stream: true } });
      assert.equal(answer.status, 200);
      const all = answer.text.split('\n\n').filter((event) => event !== '');
      assert.match(all.at(-1) ?? '', /data: \{.*upstream_invalid/, `${kept}`);
      assert.doesNotMatch(answer.text, ends);
      assert.doesNotMatch(answer.text, /stop_reason|\[DONE\]|message_stop/);
      await assertFailed(answer, `${kept} events`);
      const record = await running.record(answer.record());
      assert.ok(Number(at(record, 'usage.costNanos')) > 0);
      // Anthropic's last count comes before its last event: what the provider said is what is billed.
      const isCounted = path === '/v1/messages' && kept === terminal;
      assert.equal(at(record, 'usage.source'), isCounted ? 'provider' : 'estimated');
    }
  });

  test(`${path}: a stream that closes within an event passes nothing of the piece`, async () => {
    const first = events[0] ?? '';
    running.provider.answer((_asked, response) =>
      closeAfter(response, 'text/event-stream', first + first.slice(0, -9)),
    );
    const answer = await running.call({ path, body: { ...body, stream: true } });
    assert.ok(answer.text.startsWith(first));
    const rest = answer.text.slice(first.length);
    assert.match(rest, /^(?:event: error\n)?data: \{.*\}\n\n$/, 'one event, and it can be read');
    await assertFailed(answer, path);
  });

  test(`${path}: a last event without its blank line still ends the answer`, async () => {
    const all = events.join('');
    running.provider.answer((_asked, response) =>
      closeAfter(response, 'text/event-stream', all.slice(0, -2)),
    );
    const answer = await running.call({ path, body: { ...body, stream: true } });
    assert.equal(answer.text, all.slice(0, -2));
    assert.equal(at(await running.record(answer.record()), 'status'), 'ok');
  });
}

for (const { path, body, json } of [
  ...faces,
  { path: '/v1/embeddings', body: { model: 'm', input: 'hello' }, json: embeddingJson },
  { path: '/v1/messages/count_tokens', body: { model: 'c', messages }, json: '{"input_tokens":9}' },
  { path: '/v1/responses/input_tokens', body: { model: 'm', input: 'x' }, json: '{"input_tokens":9}' },
]) {
  test(`${path}: a body that is cut, or no JSON at all, is refused as a failure, and none of it passes`, async () => {
    const isFree = path.endsWith('_tokens');
    for (const text of ['', json.slice(0, 1), json.slice(0, -1), '<html>busy</html>']) {
      running.provider.answer((_asked, response) => closeAfter(response, 'application/json', text));
      const answer = await running.call({ path, body });
      assert.equal(answer.status, 502, text.slice(-40));
      assert.equal(codeOf(answer), 'upstream_invalid');
      await assertFailed(answer, text.slice(-40));
      const record = await running.record(answer.record());
      if (!isFree) assert.equal(at(record, 'usage.source'), 'estimated');
    }
    running.provider.answer((_asked, response) => closeAfter(response, 'application/json', json));
    const answer = await running.call({ path, body });
    assert.equal(answer.text, json);
    assert.equal(at(await running.record(answer.record()), 'status'), 'ok');
  });
}

test('an error that a provider puts under 200 passes as it is, and is no success in the record', async () => {
  const error = '{"error":{"message":"no provider is available","code":502}}';
  const chunk = chatEvents()[0] ?? '';
  for (const stream of [false, true]) {
    running.provider.answer((_asked, response) => {
      if (!stream) return sendJson(response, error);
      beginStream(response);
      response.end(`${chunk}data: ${error}\n\n`);
    });
    const answer = await running.call({ body: { model: 'm', messages, stream } });
    assert.equal(answer.text, stream ? `${chunk}data: ${error}\n\n` : error);
    const record = await running.record(answer.record());
    assert.deepEqual([at(record, 'status'), at(record, 'error')], ['upstream_error', 'upstream_said_error']);
  }
});

test("a cut answer leaves nothing reserved, and its id is still its maker's", async () => {
  running.provider.answer((_asked, response) => {
    beginStream(response);
    response.end(responseEvents({ ...plainly, id: 'resp_cut' })[0]);
  });
  const body = { model: 'm', input: 'hello' };
  const answer = await running.call({ path: '/v1/responses', body: { ...body, stream: true } });
  await assertFailed(answer, 'cut');
  const { organizationId } = running;
  if (!isId('org', organizationId)) throw new TypeError('no organization');
  assert.equal(running.server.gateway.deps.meter.reservedNanos(organizationId), 0);
  running.provider.answer();
  const next = await running.call({
    path: '/v1/responses',
    body: { ...body, previous_response_id: 'resp_cut' },
  });
  assert.equal(next.status, 200, next.text);
});

test('on a path that only its provider knows, no end of a stream is demanded, and JSON only of what calls itself that', async () => {
  await running.publish(
    `${defaultPolicyText}\n@id("all") permit (principal, action == Action::"passthrough", resource);`,
  );
  const path = '/providers/fake/v1/audio/spoken';
  const ways = [
    ['text/event-stream', 'data: {"type":"speech.audio.done"}\n\n', 'ok'],
    ['audio/mpeg', '\u00ff\u00fb{"cut', 'ok'],
    ['application/json', '[1,2]', 'ok'],
    ['application/problem+json', '{"a":', 'failed'],
    ['application/json; charset=utf-8', '{"a":', 'failed'],
  ] as const;
  for (const [type, text, status] of ways) {
    running.provider.answer((_asked, response) => closeAfter(response, type, text));
    const answer = await running.call({ method: 'GET', path, body: '' });
    assert.equal(answer.status, status === 'ok' ? 200 : 502, type);
    assert.equal(at(await running.record(answer.record()), 'status'), status, type);
  }
  running.provider.answer((_asked, response) => {
    response.writeHead(204).end();
  });
  const nothing = await running.call({ path: '/providers/fake/v1/notes/n', method: 'DELETE', body: '' });
  assert.equal(nothing.status, 204);
  assert.equal(at(await running.record(nothing.record()), 'status'), 'ok');
});
