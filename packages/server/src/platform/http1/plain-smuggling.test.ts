// Tests that no message means one thing to our reader and another to Node's parser: known forms of smuggling, and random ones.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type PlainServer, plain, rawClient, startPlainServer } from './plain-server.support.ts';

let both: PlainServer;
let nodeAlone: PlainServer;
before(async () => {
  both = await startPlainServer();
  nodeAlone = await startPlainServer({ serve: () => false });
});
after(async () => {
  assert.equal(both.running(), 0);
  await Promise.all([both.close(), nodeAlone.close()]);
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What comes back for these pieces, each sent when the one before was answered or stayed without an answer. */
async function told(port: number, pieces: readonly string[], quietMs: number): Promise<readonly string[]> {
  const client = await rawClient(port);
  for (const piece of pieces) {
    client.send(piece);
    await Promise.race([pause(quietMs), client.closed]);
  }
  const answers = client.answers().map(({ status, body }) => `${status} ${body}`);
  const isClosed = client.socket.destroyed;
  client.socket.destroy();
  return isClosed ? [...answers, 'closed'] : answers;
}

/**
 * Node refuses bad bytes at once, and drops the answers to the requests before them in the same piece: whether those
 * came first is a matter of time. All that it does answer must be there.
 */
function isAlike(ours: readonly string[], nodes: readonly string[]): boolean {
  if (nodes.at(-2) !== '400 ') return ours.join('\n') === nodes.join('\n');
  return ours.at(-2) === '400 ' && ours.at(-1) === 'closed' && nodes.every((one) => ours.includes(one));
}

async function areToldAlike(pieces: readonly string[]): Promise<void> {
  for (const quietMs of [30, 400, 3_000]) {
    const ask = (server: PlainServer) => told(server.port, pieces, quietMs);
    const [ours, nodes] = await Promise.all([ask(both), ask(nodeAlone)]);
    if (isAlike(ours, nodes)) return;
    if (quietMs === 3_000) assert.deepEqual(ours, nodes, JSON.stringify(pieces));
  }
}

const smuggled = plain('/smuggled', '');
const chunks = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
const head = (...lines: readonly string[]): string =>
  `POST /a HTTP/1.1\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
const te = 'Transfer-Encoding: chunked';
const both3 = 'Content-Length: 3';
const whole = `Content-Length: ${smuggled.length}`;

const forms: readonly (readonly [string, string])[] = [
  ['CL.TE', head(whole, te) + chunks('') + smuggled],
  ['TE.CL', head(te, both3) + chunks(smuggled)],
  ['CL.0', head('Content-Length: 0') + smuggled],
  ['no length', head() + smuggled],
  ['a body that is a request', head(whole) + smuggled],
  ['two lengths', head(both3, whole) + smuggled],
  ['two lengths that agree', head(whole, whole) + smuggled],
  ['a list of lengths', head('Content-Length: 3, 3') + smuggled],
  ['a length with a sign', head('Content-Length: +3') + smuggled],
  ['a length in hexadecimal', head('Content-Length: 0x3') + smuggled],
  ['a length with an underscore for a hyphen', head('Content_Length: 3') + smuggled],
  ['a length with blank before its colon', head('Content-Length : 3') + smuggled],
  ['a length in a folded line', head('X: a', ` ${both3}`) + smuggled],
  ['a length of nothing', head('Content-Length:') + smuggled],
  ['a length that wraps at 64 bits', `${head('Content-Length: 18446744073709551619')}abc${smuggled}`],
  ['a coding with blank before its colon', head(whole, 'Transfer-Encoding : chunked') + smuggled],
  ['a coding after a tab', head(whole, 'Transfer-Encoding:\tchunked') + chunks('') + smuggled],
  ['a coding after a line feed', head(whole, 'X: y\nTransfer-Encoding: chunked') + smuggled],
  ['a coding after a carriage return', head(whole, 'X: y\rTransfer-Encoding: chunked') + smuggled],
  ['a coding of another name', head(whole, 'Transfer-Encoding: xchunked') + smuggled],
  ['two codings', head(whole, te, 'Transfer-Encoding: identity') + smuggled],
  ['a coding with vertical tab', head(whole, 'Transfer-Encoding:\x0bchunked') + smuggled],
  ['a coding with underscore', head(whole, 'Transfer_Encoding: chunked') + smuggled],
  ['a name with NUL', head(whole, 'Transfer-Encoding\0: chunked') + smuggled],
  ['a chunk with an extension of bare line feeds', `${head(te)}0;a\nb\r\n\r\n${smuggled}`],
  ['HTTP/1.0 with keep-alive', head(whole, 'Connection: keep-alive').replace('1.1', '1.0') + smuggled],
  ['a connection that names its length', head(whole, 'Connection: Content-Length') + smuggled],
  ['expectation', head(whole, 'Expect: 100-continue') + smuggled],
  ['upgrade to h2c', head(whole, 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c') + smuggled],
  ['a line of the head in the target', smuggled.replace('/smuggled', '/a HTTP/1.1\r\nX:')],
  ['line feeds alone', smuggled.replaceAll('\r\n', '\n') + smuggled],
  ['a line end before the request', `\r\n\r\n${smuggled}`],
  ['line ends behind a body', `${plain('/a', 'b')}\r\n\r\n${smuggled}`],
  ['a body shorter than its length', `${head('Content-Length: 500')}abc`],
  ['a body longer than its length', `${plain('/a', 'abc')}def${smuggled}`],
];
for (const [name, bytes] of forms)
  test(`request smuggling: ${name} is answered as by Node alone`, async () => {
    const cuts = [5, 20, bytes.length >> 1, bytes.length - 1].map((at) => [
      bytes.slice(0, at),
      bytes.slice(at),
    ]);
    await Promise.all([[bytes], ...cuts].map((parts) => areToldAlike([...parts, plain('/next', 'n')])));
  });

const line = fc.constantFrom(
  both3,
  whole,
  te,
  'Connection: close',
  'Connection: keep-alive',
  'X-A: b',
  'x-a:c',
  'X: a\r\n b',
  'X: y\rZ: 1',
  'Transfer-Encoding: identity',
  'Expect: 100-continue',
  'TE: trailers',
  'Host: other',
  'X\t: y',
);
const body = fc.constantFrom(
  '',
  'abc',
  smuggled,
  chunks(smuggled),
  chunks('abc') + smuggled,
  `abc${smuggled}`,
);
const message = fc.oneof(
  fc.tuple(fc.array(line, { maxLength: 3 }), body).map(([lines, text]) => head(...lines) + text),
  body.map((text) => plain('/p', text)),
  fc.constant('GET /g HTTP/1.1\r\nHost: h\r\n\r\n'),
);
// Node says `100 Continue` at once, be it between the head and the body of the answer before: only a first message asks.
const pieces = fc.array(fc.tuple(message, fc.nat()), { minLength: 1, maxLength: 3 }).map((messages) =>
  messages.flatMap(([text, at], i) => {
    if (i > 0 && text.includes('Expect:')) return [];
    const cut = at % (2 * text.length);
    return cut === 0 || cut >= text.length ? [text] : [text.slice(0, cut), text.slice(cut)];
  }),
);

test('whatever is sent on a connection, in whatever pieces, is answered as by Node alone', async () => {
  const samples = fc.sample(pieces, 600);
  for (let at = 0; at < samples.length; at += 40)
    await Promise.all(samples.slice(at, at + 40).map(areToldAlike));
});
