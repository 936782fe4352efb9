// Owns the claims about fetching a document: no redirects, no encodings, caps on size and time.

import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { createEgress } from './egress.ts';

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}

const { fetchDocument } = createEgress({ allow: ['127.0.0.1'] });
const caps = { maxBytes: 100, timeoutMs: 2_000 };

test('a document arrives with its type and its age, and was asked for unencoded', async (t) => {
  const url = await serve(t, (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('cache-control', 'max-age=60');
    response.setHeader('age', '5');
    response.end(JSON.stringify([request.url, request.headers.accept, request.headers['accept-encoding']]));
  });
  const got = await fetchDocument(`${url}/keys?x=1`, { ...caps, accept: 'application/json' });
  assert.equal(got.status, 200);
  assert.equal(got.contentType, 'application/json');
  assert.deepEqual(got.headers, { 'cache-control': 'max-age=60', age: '5' });
  assert.equal(Buffer.from(got.body).toString(), '["/keys?x=1","application/json","identity"]');
});

test('what is sent arrives by POST with its type, and a signal gives it up at once', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/silent') return;
    let got = '';
    request.on('data', (chunk: Buffer) => {
      got += chunk.toString();
    });
    request.on('end', () => response.end(`${request.method} ${request.headers['content-type']} ${got}`));
  });
  const send = { type: 'text/plain', body: 'old 0\n' };
  const got = await fetchDocument(`${url}/add`, { ...caps, send });
  assert.equal(Buffer.from(got.body).toString(), 'POST text/plain old 0\n');
  const leaving = new AbortController();
  const silent = fetchDocument(`${url}/silent`, { ...caps, send, signal: leaving.signal });
  leaving.abort();
  await assert.rejects(silent, { kind: 'timeout' });
});

test('a redirect is refused and not followed', async (t) => {
  let visits = 0;
  const url = await serve(t, (_request, response) => {
    visits += 1;
    response.writeHead(302, { location: '/elsewhere' }).end('moved');
  });
  await assert.rejects(fetchDocument(url, caps), { kind: 'invalid', message: /redirect/ });
  assert.equal(visits, 1);
});

test('an answer over the cap is refused, with and without a length', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/exact') response.end('x'.repeat(100));
    else if (request.url === '/length') response.end('x'.repeat(101));
    else {
      response.write('x'.repeat(60));
      response.end('x'.repeat(60));
    }
  });
  assert.equal((await fetchDocument(`${url}/exact`, caps)).body.byteLength, 100);
  await assert.rejects(fetchDocument(`${url}/length`, caps), { kind: 'too_large' });
  await assert.rejects(fetchDocument(`${url}/chunks`, caps), { kind: 'too_large' });
});

test('an answer that does not end in time is given up, before and within its body', async (t) => {
  const url = await serve(t, (request, response) => {
    if (request.url === '/body') response.write('x');
  });
  const short = { ...caps, timeoutMs: 80 };
  await assert.rejects(fetchDocument(`${url}/head`, short), { kind: 'timeout' });
  await assert.rejects(fetchDocument(`${url}/body`, short), { kind: 'timeout' });
});

test('an encoded answer is refused', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
  });
  await assert.rejects(fetchDocument(url, caps), { kind: 'invalid', message: /encoded/ });
});

test('a broken answer and a closed port are unreachable', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '50' }).write('x');
    response.destroy();
  });
  await assert.rejects(fetchDocument(url, caps), { kind: 'unreachable' });
  await assert.rejects(fetchDocument('http://127.0.0.1:1/', caps), { kind: 'unreachable' });
});

test('an address that is not listed is refused, and the refusal does not say what it resolves to', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.end('internal');
  });
  const closed = createEgress({ allow: [], lookup: async () => ['10.1.2.3'] });
  await assert.rejects(closed.fetchDocument(url, caps), { kind: 'forbidden' });
  const refusal = await closed.fetchDocument('https://a.example.com/', caps).catch((error: unknown) => error);
  assert.ok(refusal instanceof Error);
  assert.match(refusal.message, /a\.example\.com/);
  assert.doesNotMatch(refusal.message, /10\.1\.2\.3/);
});

test('what is no web address, or has a user, is refused', async () => {
  for (const url of [
    '',
    'example.com',
    'file:///etc/passwd',
    'ftp://a.example.com',
    'https://u:p@a.example.com',
  ]) {
    await assert.rejects(fetchDocument(url, caps), { kind: 'invalid' }, url);
  }
});
