// Tries the client against a real HTTP server that answers as the contract says, and as it does not.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { keyRevoke } from '@countersign/contract/access-operations';
import { organizationGet, teamCreate, workspaceList } from '@countersign/contract/directory-operations';
import { ledgerTile, recordGet } from '@countersign/contract/evidence-operations';
import { usageList } from '@countersign/contract/usage-operations';
import { AppError } from '@countersign/core/errors';
import { makeId } from '@countersign/core/ids';
import { type Client, createClient } from './client.ts';
import { NoAnswerError, ProblemError } from './client-errors.ts';

const random = new Uint8Array(10);
const workspaceId = makeId('workspace', 1, random);
const teamId = makeId('team', 1, random);

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string };
type Answer = (seen: Seen, response: ServerResponse) => void;

async function serving(
  t: TestContext,
  answer: Answer,
): Promise<{ client: Client; seen: Seen[]; url: string }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      seen.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  return { client: createClient({ baseUrl: `${url}/`, key: 'csk_test', timeoutMs: 2_000 }), seen, url };
}

function json(response: ServerResponse, status: number, value: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(value));
}

test('a call sends what the contract says and answers with what it says', async (t) => {
  const { client, seen } = await serving(t, (_, response) =>
    json(response, 201, { id: teamId, workspaceId, name: 'research', addedLater: true }),
  );
  const team = await client.call(teamCreate, {
    body: { name: 'research', workspaceId },
    idempotencyKey: 'once',
  });
  assert.deepEqual(team, { id: teamId, workspaceId, name: 'research' });
  const [one] = seen;
  assert.equal(`${one?.method} ${one?.url}`, 'POST /api/v1/teams');
  assert.equal(one?.headers.authorization, 'Bearer csk_test');
  assert.equal(one?.headers['idempotency-key'], 'once');
  assert.equal(one?.body, JSON.stringify({ name: 'research', workspaceId }));
});

test('a refusal is a problem with its code, fields and request id', async (t) => {
  const { client } = await serving(t, (_, response) => {
    response.setHeader('retry-after', '7');
    const fields = [{ path: 'name', message: 'is taken' }];
    const detail = 'there is one of this name already';
    json(
      response,
      409,
      {
        type: 'about:blank',
        title: 'Conflict',
        status: 409,
        code: 'already_exists',
        detail,
        requestId: 'req_1',
        fields,
      },
      'application/problem+json',
    );
  });
  const error = await client.call(organizationGet).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ProblemError);
  const { status, code, detail, requestId, retryAfterSeconds, fields } = error;
  assert.deepEqual(
    { status, code, detail, requestId, retryAfterSeconds },
    {
      status: 409,
      code: 'already_exists',
      detail: 'there is one of this name already',
      requestId: 'req_1',
      retryAfterSeconds: 7,
    },
  );
  assert.deepEqual(fields, [{ path: 'name', message: 'is taken' }]);
});

test('pages follow `next` until it is absent, with the same filters', async (t) => {
  const { client, seen } = await serving(t, ({ url }, response) => {
    const cursor = new URL(url, 'http://x').searchParams.get('cursor');
    const item = { id: workspaceId, name: cursor ?? 'first', status: 'active' };
    json(
      response,
      200,
      cursor === 'b' ? { items: [item] } : { items: [item], next: cursor === null ? 'a' : 'b' },
    );
  });
  const names: string[] = [];
  for await (const page of client.pages(workspaceList, { query: { limit: 1 } })) {
    names.push(...page.map(({ name }) => name));
  }
  assert.deepEqual(names, ['first', 'a', 'b']);
  assert.deepEqual(
    seen.map(({ url }) => url),
    ['', '&cursor=a', '&cursor=b'].map((end) => `/api/v1/workspaces?limit=1${end}`),
  );
});

test('an answer that does not fit the contract is refused, and says where', async (t) => {
  const { client } = await serving(t, (_, response) =>
    json(response, 200, { items: [{ id: 'no', name: 'x' }] }),
  );
  await assert.rejects(
    client.call(workspaceList),
    (error) =>
      error instanceof NoAnswerError &&
      error.kind === 'unexpected_answer' &&
      /`workspace.list` does not fit the contract at `items.0.id`/.test(error.message),
  );
});

test('an error page of something on the way is not taken for a problem', async (t) => {
  const { client } = await serving(t, (_, response) => {
    response.writeHead(502, { 'content-type': 'text/html' });
    response.end('<h1>bad gateway</h1>');
  });
  await assert.rejects(client.call(organizationGet), /status 502 and is no problem of ours/);
});

test('an unfit input is refused before anything is sent', async (t) => {
  const { client, seen } = await serving(t, (_, response) => json(response, 200, {}));
  await assert.rejects(
    client.call(teamCreate, { body: { name: 'Not A Name', workspaceId } }),
    (error) => error instanceof AppError && error.code === 'invalid_request' && /`name`/.test(error.message),
  );
  await assert.rejects(client.call(recordGet, { params: { id: '..' } }), /cannot be part of a path/);
  assert.equal(seen.length, 0);
});

test('an id cannot lead to another operation', async (t) => {
  const { client, seen } = await serving(t, (_, response) => json(response, 404, {}));
  await client.call(recordGet, { params: { id: '../keys?x#y/z' } }).catch(() => undefined);
  assert.equal(seen[0]?.url, '/api/v1/records/..%2Fkeys%3Fx%23y%2Fz');
});

test('bytes and CSV are asked for by `Accept`, and no other type is taken for them', async (t) => {
  const { client, seen } = await serving(t, ({ url, headers }, response) => {
    if (url.startsWith('/api/v1/usage')) {
      json(response, 200, {});
      return;
    }
    response.writeHead(200, { 'content-type': headers.accept ?? '' });
    response.end(Buffer.from([0, 1, 255]));
  });
  const bytes = await client.callBytes(ledgerTile, 'application/octet-stream', {
    params: { path: 'entries/x001/002.p/3' },
  });
  assert.deepEqual([...bytes], [0, 1, 255]);
  assert.equal(seen[0]?.url, '/api/v1/ledger/tile/entries/x001/002.p/3');
  await assert.rejects(client.callText(usageList, 'text/csv'), /is `application\/json`, not `text\/csv`/);
});

test('a server that hangs is given up, one that is not there is named', async (t) => {
  const { url } = await serving(t, () => undefined);
  const hasty = createClient({ baseUrl: url, key: 'k', timeoutMs: 50 });
  await assert.rejects(
    hasty.call(organizationGet),
    (error) => error instanceof NoAnswerError && error.kind === 'timed_out',
  );
  const nowhere = createClient({ baseUrl: 'http://127.0.0.1:1', key: 'k' });
  await assert.rejects(
    nowhere.call(organizationGet),
    (error) =>
      error instanceof NoAnswerError && error.kind === 'unreachable' && /127\.0\.0\.1:1/.test(error.message),
  );
});

test('an answer without end is cut', async (t) => {
  const { url } = await serving(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(Buffer.alloc(65_536, 32)), 1);
    response.on('close', () => clearInterval(timer));
  });
  const client = createClient({ baseUrl: url, key: 'k', maxAnswerBytes: 1_000_000 });
  await assert.rejects(client.call(organizationGet), /longer than 1000000 bytes/);
});

test('a redirect is not followed, so that the key stays with its server', async (t) => {
  const { client, seen } = await serving(t, (_, response) => {
    response.writeHead(307, { location: '/api/v1/elsewhere' });
    response.end();
  });
  await assert.rejects(client.call(keyRevoke, { params: { id: makeId('key', 1, random) }, body: {} }));
  assert.equal(seen.length, 1);
});
