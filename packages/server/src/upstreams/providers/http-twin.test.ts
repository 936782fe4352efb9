// Owns the claims that our exchange reads and writes as undici's client does, and where it is stricter.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Client } from 'undici';
import { answers, damaged } from '../../platform/http1/answers.support.ts';
import { refused } from '../../platform/http1/hostile-answers.support.ts';
import type { UpstreamRequest } from '../upstream.ts';
import { createTestPool, exchange, type Listening } from './fake-provider.support.ts';
import { createHttpUpstream } from './http.ts';

type Said = { readonly status: number; readonly headers: Record<string, unknown>; readonly body: string };

type Twins = {
  /** The answer as both read it; undefined: refused. */
  readonly read: (
    bytes: Buffer,
  ) => Promise<{ readonly ours: Said | undefined; readonly theirs: Said | undefined }>;
  /** The request as both write it; undefined: refused. */
  readonly write: (
    request: UpstreamRequest,
  ) => Promise<{ readonly ours: string | undefined; readonly theirs: string | undefined }>;
};

const plain = 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/** A server that gives each connection the same answer and closes it; it keeps what it was sent. */
async function listen(t: TestContext) {
  const state: { answer: Buffer; got: string } = { answer: Buffer.from(plain), got: '' };
  const server = createServer((socket) => {
    let got = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      state.got = got;
      const at = got.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(got)?.[1] ?? 0);
      if (at > 0 && got.length >= at + 4 + length) socket.end(state.answer);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const listening: Omit<Listening, 'close'> = { origin: `http://127.0.0.1:${address.port}` };
  return { state, ...listening };
}

function group(flat: readonly string[]): Record<string, unknown> {
  const grouped: Record<string, string[]> = {};
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const name = flat[at] ?? '';
    grouped[name] = [...(grouped[name] ?? []), flat[at + 1] ?? ''];
  }
  return Object.fromEntries(
    Object.entries(grouped).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

/** Both have a connection of their own for each exchange: this server closes it, and does not always say so. */
async function ourAnswer(origin: string, request: UpstreamRequest): Promise<Said | undefined> {
  const pool = createTestPool();
  const timeouts = { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000 };
  const upstream = createHttpUpstream({ baseUrl: origin, timeouts, pool });
  const chunks: Uint8Array[] = [];
  const answer = await exchange(upstream, request, { onChunk: (_call, chunk) => chunks.push(chunk) });
  await pool.close();
  assert.equal(answer.endings(), 1);
  if (answer.error !== undefined || answer.status === undefined) return undefined;
  return {
    status: answer.status,
    headers: group(answer.headers),
    body: Buffer.concat(chunks).toString('latin1'),
  };
}

/** Undici leaves tabs at a value's end, which RFC 9110 section 5.5 leaves out of it. */
function withoutTabs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTabs);
  return typeof value === 'string' ? value.replace(/[ \t]+$/, '') : value;
}

async function theirAnswer(origin: string, request: UpstreamRequest): Promise<Said | undefined> {
  const client = new Client(origin, { pipelining: 1, allowH2: false, maxHeaderSize: 32 * 1024 });
  try {
    const { method, path, body } = request;
    const answer = await client.request({ method, path, headers: [...request.headers], body });
    const bytes = await answer.body.arrayBuffer();
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(
        Object.entries(answer.headers).map(([name, value]) => [name, withoutTabs(value)]),
      ),
      body: Buffer.from(bytes).toString('latin1'),
    };
  } catch {
    return undefined;
  } finally {
    await client.destroy();
  }
}

const get: UpstreamRequest = { method: 'GET', path: '/v1/models', headers: [], body: null };

async function openTwins(t: TestContext): Promise<Twins> {
  const { state, origin } = await listen(t);
  return {
    async read(answer) {
      state.answer = answer;
      return { ours: await ourAnswer(origin, get), theirs: await theirAnswer(origin, get) };
    },
    async write(request) {
      state.answer = Buffer.from(plain);
      const sent = async (send: typeof ourAnswer): Promise<string | undefined> => {
        state.got = '';
        const answer = await send(origin, request);
        if (answer === undefined) assert.equal(state.got, '', 'what is refused is not on the wire');
        return answer === undefined ? undefined : state.got;
      };
      return { ours: await sent(ourAnswer), theirs: await sent(theirAnswer) };
    },
  };
}

test('right answers are read as undici reads them', async (t) => {
  const { read } = await openTwins(t);
  await fc.assert(
    fc.asyncProperty(answers, async ({ bytes }) => {
      const { ours, theirs } = await read(bytes);
      assert.ok(ours !== undefined);
      assert.deepEqual(ours, theirs);
    }),
    { numRuns: 300 },
  );
});

test('what undici refuses is refused, and what is taken of damaged answers is what undici takes', async (t) => {
  const { read } = await openTwins(t);
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      const { ours, theirs } = await read(bytes);
      if (ours !== undefined) assert.deepEqual(ours, theirs);
    }),
    { numRuns: 1_500 },
  );
});

/** Where we are stricter, on purpose: each has more than one reading among the servers and proxies of the world. */
const stricter: readonly string[] = [
  'HTTP/2',
  'an empty line before the answer',
  'the status 600',
  'a control character in the reason',
  'chunks with a tab behind the word',
  'chunks twice',
  'two codings of the transfer',
  'chunks in HTTP/1.0',
];

test('of the hostile answers undici takes a few, and we take none', async (t) => {
  const { read } = await openTwins(t);
  const takenByUndici: string[] = [];
  for (const [name, text] of refused) {
    const { ours, theirs } = await read(Buffer.from(text, 'latin1'));
    assert.equal(ours, undefined, name);
    if (theirs !== undefined) takenByUndici.push(name);
  }
  assert.deepEqual(takenByUndici, stricter);
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const written: readonly (readonly [string, Partial<UpstreamRequest>])[] = [
  ['a GET', {}],
  ['a query', { path: '/v1/files?limit=3&after=%C3%A9' }],
  ['latin1 in a path and a header', { path: '/v1/\xe9', headers: ['x', '\xe9\t '] }],
  ['names as they are given', { headers: ['Accept', '*/*', 'X-Stainless-Lang', 'js', 'x', ''] }],
  ['a POST', { method: 'POST', body: bytes('{"a":"ß"}'), headers: ['content-length', '10', 'x', 'y'] }],
  ['a POST without its length', { method: 'POST', body: bytes('{}') }],
  ['a POST without a body', { method: 'POST' }],
  ['a POST of nothing', { method: 'POST', body: bytes(''), headers: ['content-length', '0'] }],
  ['a larger POST', { method: 'POST', body: bytes('x'.repeat(100_000)) }],
  ['a DELETE', { method: 'DELETE' }],
  ['a DELETE with a body', { method: 'DELETE', body: bytes('{}') }],
  ['a PUT and a PATCH', { method: 'PATCH', headers: ['Content-Length', '2'], body: bytes('{}') }],
  ['an OPTIONS', { method: 'OPTIONS' }],
  ['a HEAD', { method: 'HEAD' }],
];

for (const [name, request] of written) {
  test(`${name} is on the wire as undici writes it`, async (t) => {
    const { write } = await openTwins(t);
    const { ours, theirs } = await write({ ...get, ...request });
    assert.ok(ours !== undefined);
    assert.equal(ours, theirs);
  });
}

const unwritable: readonly (readonly [string, Partial<UpstreamRequest>])[] = [
  ['a space in the path', { path: '/a b' }],
  ['CRLF in the path', { path: '/a\r\nx:y' }],
  ['a NUL in the path', { path: '/a\0' }],
  ['a character beyond latin1 in the path', { path: '/\u010d' }],
  ['a path without a slash', { path: 'v1' }],
  ['no path', { path: '' }],
  ['CRLF in a value', { headers: ['x', 'a\r\ny: z'] }],
  ['LF in a value', { headers: ['x', 'a\ny: z'] }],
  ['CR in a value', { headers: ['x', 'a\ry'] }],
  ['NUL in a value', { headers: ['x', 'a\0'] }],
  ['DEL in a value', { headers: ['x', 'a\x7f'] }],
  ['a character that ends in LF when it is cut to a byte', { headers: ['x', 'a\u010ay: z'] }],
  ['a colon in a name', { headers: ['x:y', 'a'] }],
  ['CRLF in a name', { headers: ['x\r\ny', 'a'] }],
  ['a name of nothing', { headers: ['', 'a'] }],
  ['a name without a value', { headers: ['x'] }],
  ['chunks', { headers: ['transfer-encoding', 'chunked'] }],
  ['an upgrade', { headers: ['Upgrade', 'websocket'] }],
  ['keep-alive', { headers: ['keep-alive', 'timeout=5'] }],
  ['expect', { headers: ['expect', '100-continue'] }],
  [
    'two lengths',
    { method: 'POST', headers: ['content-length', '2', 'content-length', '2'], body: bytes('{}') },
  ],
  ['another length', { method: 'POST', headers: ['content-length', '3'], body: bytes('{}') }],
  ['a length that is no number', { method: 'POST', headers: ['content-length', '0x2'], body: bytes('{}') }],
  ['a method that is no token', { method: 'GE T' }],
  ['a method with CRLF', { method: 'GET / HTTP/1.1\r\nx: ' }],
  ['no method', { method: '' }],
  ['CONNECT', { method: 'CONNECT' }],
];

for (const [name, request] of unwritable) {
  test(`a request with ${name} is refused as undici refuses it, and nothing is on the wire`, async (t) => {
    const { write } = await openTwins(t);
    assert.deepEqual(await write({ ...get, ...request }), { ours: undefined, theirs: undefined });
  });
}

/** Undici drops, replaces or writes these; they are the connection's own, so whoever sends has none to say. */
const ours: readonly (readonly [string, Partial<UpstreamRequest>])[] = [
  ['a host', { headers: ['host', 'elsewhere.example'] }],
  ['a connection', { headers: ['connection', 'close'] }],
  ['a length without a body', { method: 'POST', headers: ['content-length', '5'] }],
  ['DEL in the path', { path: '/a\x7f' }],
];

for (const [name, request] of ours) {
  test(`a request with ${name} of its own is refused, where undici sends one`, async (t) => {
    const { write } = await openTwins(t);
    const { ours: our, theirs } = await write({ ...get, ...request });
    assert.equal(our, undefined);
    assert.ok(theirs !== undefined);
  });
}
