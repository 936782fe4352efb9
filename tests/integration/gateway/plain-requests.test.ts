// Claims that nobody can tell who read a request, our reader or Node's parser: same answers, same heads, same records.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { plain, type RawResponse, rawClient } from '@countersign/server/platform/http1/plain-server.support';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { beginStream, chatEvents, chatJson, sendJson } from '../../support/provider-answers.ts';
import { at } from '../../support/server.ts';

let running: TestGateway;
let port = 0;
before(async () => {
  running = await startGateway();
  port = Number(new URL(running.url).port);
});
after(async () => {
  await running.stop();
});
beforeEach(() => running.provider.answer());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const call = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
const streamed = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] });

/** A request as its parts: where it is cut, and how its body is framed, is the way's own. */
type Parts = { readonly path: string; readonly headers: string; readonly body: string };

const whole = ({ path, headers, body }: Parts, more = ''): string => plain(path, body, headers + more);
const ways: readonly (readonly [string, (parts: Parts) => readonly string[]])[] = [
  ['plainly', (parts) => [whole(parts)]],
  ['plainly, its body later', (parts) => [whole(parts).slice(0, -parts.body.length), parts.body]],
  [
    'chunked',
    ({ path, headers, body }) => [
      `POST ${path} HTTP/1.1\r\nHost: h\r\n${headers}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    ],
  ],
  ['with Connection: close', (parts) => [whole(parts, 'Connection: close\r\n')]],
  ['with a header twice', (parts) => [whole(parts, 'Accept: a/b\r\naccept: c/d\r\n')]],
  ['with a letter beyond ASCII', (parts) => [whole(parts, 'X-Odd: caf\xe9\r\n')]],
  ['with its head in two pieces', (parts) => [whole(parts).slice(0, 40), whole(parts).slice(40)]],
];

async function ask(pieces: readonly string[]): Promise<RawResponse> {
  const client = await rawClient(port);
  for (const piece of pieces) {
    client.send(piece);
    await pause(pieces.length > 1 ? 20 : 0);
  }
  const [answer] = await client.first(1);
  client.socket.destroy();
  if (answer === undefined) throw new Error('no answer');
  return answer;
}

/** Ids, times, places and durations are a call's own. */
const own =
  /\b[a-z]{2,4}_[0-9a-z]{26}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{64}\b|\d{4}-\d\d-\d\dT[\d:.]+Z/g;
const counted = /"(\w*(?:ms|Ms|seq|[iI]ndex|leaf|size|epoch))":\d+/g;
const plainText = (text: string): string =>
  text
    .replaceAll('\\"', '"')
    .replace(own, '·')
    .replace(counted, '"$1":·')
    .replace(/"ms":\{[^}]*\}/, '"ms":·');

/** The answer's head line by line, in order, but for what the request itself asked for: its connection's end. */
function headOf({ head }: RawResponse): string {
  return plainText(head)
    .replace(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/m, 'Date')
    .replace(/^Connection: keep-alive\r\nKeep-Alive: timeout=65$/m, 'Connection: close');
}

async function recordOf({ head }: RawResponse): Promise<string> {
  const id = /^x-countersign-record: (\S+)$/m.exec(head)?.[1];
  if (id === undefined) return 'none';
  return plainText(JSON.stringify(await running.record(id)))
    .split(',')
    .join('\n');
}

const key = (): string => `Authorization: Bearer ${running.modelsKey}\r\nContent-Type: application/json\r\n`;
const json = 'Content-Type: application/json\r\n';
const chat = '/v1/chat/completions';

type Case = { readonly parts: () => Parts; readonly status: number; readonly script?: () => void };
const cases: { readonly [name: string]: Case } = {
  'a whole answer': { parts: () => ({ path: chat, headers: key(), body: call }), status: 200 },
  'a query that passes': {
    parts: () => ({
      path: '/v1/messages?beta=true',
      headers: key(),
      body: '{"model":"c","max_tokens":9,"messages":[]}',
    }),
    status: 200,
  },
  'a stream': {
    parts: () => ({ path: chat, headers: key(), body: streamed }),
    status: 200,
    script: () =>
      running.provider.answer((_asked, response) => {
        beginStream(response);
        response.end(chatEvents().join(''));
      }),
  },
  'a stream that breaks off': {
    parts: () => ({ path: chat, headers: key(), body: streamed }),
    status: 200,
    script: () =>
      running.provider.answer((_asked, response) => {
        beginStream(response);
        response.write(chatEvents()[0] ?? '', () => setTimeout(() => response.destroy(), 20));
      }),
  },
  'an error of the provider': {
    parts: () => ({ path: chat, headers: key(), body: call }),
    status: 429,
    script: () =>
      running.provider.answer((_asked, response) => {
        response.setHeader('retry-after', '7');
        response.setHeader('set-cookie', 'a=b');
        sendJson(response, '{"error":{"message":"slow down"}}', 429);
      }),
  },
  'a provider that breaks off': {
    parts: () => ({ path: chat, headers: key(), body: call }),
    status: 502,
    script: () => running.provider.answer((_asked, response) => void response.destroy()),
  },
  'no credential': { parts: () => ({ path: chat, headers: json, body: call }), status: 401 },
  'no credential, in the other dialect': {
    parts: () => ({ path: '/v1/messages', headers: json, body: call }),
    status: 401,
  },
  'a model that nobody may call': {
    parts: () => ({ path: chat, headers: key(), body: call.replace('"m"', '"nothing"') }),
    status: 404,
  },
  'a body that is no JSON': { parts: () => ({ path: chat, headers: key(), body: '{"model":' }), status: 400 },
  'a body under an encoding': {
    parts: () => ({ path: chat, headers: `${key()}Content-Encoding: gzip\r\n`, body: call }),
    status: 415,
  },
  'a path that takes no POST': {
    parts: () => ({ path: '/v1/models', headers: key(), body: call }),
    status: 405,
  },
  'a path where nothing is': { parts: () => ({ path: '/nothing', headers: key(), body: call }), status: 404 },
};
for (const [name, { parts, status, script }] of Object.entries(cases))
  test(`${name} is the same whoever reads the request: the head, the body and the record`, async () => {
    script?.();
    // Not the first: beside its record the client is sealed.
    await ask([whole(parts())]);
    const first = await ask([whole(parts())]);
    assert.equal(first.status, status, first.body);
    const expected = { head: headOf(first), body: plainText(first.body), record: await recordOf(first) };
    for (const [way, pieces] of ways) {
      const answer = await ask(pieces(parts()));
      const seen = { head: headOf(answer), body: plainText(answer.body), record: await recordOf(answer) };
      assert.deepEqual(seen, expected, `sent ${way}`);
    }
  });

test('the provider is sent the same, whoever reads the request', async () => {
  const seen: string[] = [];
  for (const [, pieces] of ways.filter(([way]) => !/twice|beyond/.test(way))) {
    await ask(
      pieces({ path: chat, headers: `${key()}User-Agent: one\r\nX-Stainless-Lang: js\r\n`, body: call }),
    );
    const { rawHeaders, body, method, path } = running.provider.newest();
    seen.push(plainText(JSON.stringify([method, path, rawHeaders, body.toString('latin1')])));
  }
  assert.equal(new Set(seen).size, 1, seen.join('\n'));
});

for (const line of ['post /v1/chat/completions HTTP/1.1', 'POST /v1/chat/completions http/1.1'])
  test(`\`${line}\` is no request for either`, async () => {
    const { status } = await ask([`${line}\r\nHost: h\r\n${key()}Content-Length: 0\r\n\r\n`]);
    assert.equal(status, 400);
  });

test('a body beyond the limit is refused by its length alone, and its connection ends', async () => {
  const { hostname } = new URL(running.url);
  for (const more of ['', 'Accept: a\r\naccept: b\r\n']) {
    const answer = await ask([
      `POST ${chat} HTTP/1.1\r\nHost: ${hostname}\r\n${key()}${more}Content-Length: 99999999\r\n\r\n`,
    ]);
    assert.equal(answer.status, 413);
    assert.match(answer.head, /^Connection: close$/m);
  }
});

test('a client that goes before its answer leaves the same record, whoever read the request', async () => {
  for (const [way, pieces] of ways) {
    let isAsked = false;
    running.provider.answer((_asked, response) => {
      isAsked = true;
      setTimeout(() => sendJson(response, chatJson()), 2_000).unref();
    });
    const client = await rawClient(port);
    for (const piece of pieces({ path: chat, headers: key(), body: call })) {
      client.send(piece);
      await pause(20);
    }
    assert.ok(await until(() => isAsked));
    client.socket.resetAndDestroy();
    const told = async (): Promise<string> => {
      const newest = at(await running.must('GET', '/records?limit=1'), 'items.0');
      return `${at(newest, 'status')} ${at(newest, 'error')}`;
    };
    assert.ok(await until(async () => (await told()) === 'cancelled client_gone'), `${way}: ${await told()}`);
  }
});
