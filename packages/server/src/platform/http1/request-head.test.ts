// Tests which heads are plain, and that Node's parser reads each of those the same way, to the byte where its body ends.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { readPlainHead } from './request-head.ts';

const limit = 32 * 1024;
const read = (text: string, most = limit) => readPlainHead(Buffer.from(text, 'latin1'), most);
const good = 'POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n';

test('a plain head is read with its target, its headers as sent, its length and where its body begins', () => {
  const text = `POST /v1/x?a=b HTTP/1.1\r\nHost: h\r\nX-A_1:\t two  words \t\r\nEMPTY:\r\nContent-Length: 007\r\n\r\n{"a":1}`;
  assert.deepEqual(read(text), {
    target: '/v1/x?a=b',
    rawHeaders: ['Host', 'h', 'X-A_1', 'two  words', 'EMPTY', '', 'Content-Length', '007'],
    names: ['host', 'x-a_1', 'empty', 'content-length'],
    contentLength: 7,
    bodyAt: text.indexOf('{'),
  });
  for (const kept of ['keep-alive', 'Keep-Alive']) assert.ok(read(`${good}Connection: ${kept}\r\n\r\n`));
});

const lengths = ['+5', '-5', '5,5', '5, 5', '0x5', '5 5', '5;', '1e1', '5.0', '', '٥', '1'.repeat(16)];
const notPlain: readonly (readonly [string, string])[] = [
  ['another method', good.replace('POST', 'GET')],
  ['a method in lower case', good.replace('POST', 'post')],
  ['blank before the method', ` ${good}`],
  ['a line end before the method', `\r\n${good}`],
  ['two blanks after the method', good.replace('POST ', 'POST  ')],
  ['a tab after the method', good.replace('POST ', 'POST\t')],
  ['a target that is an address', good.replace('/v1/x', 'http://h/v1/x')],
  ['a target of one star', good.replace('/v1/x', '*')],
  ['a target with a letter beyond ASCII', good.replace('/v1/x', '/v1/\xe9')],
  ['a target with a NUL', good.replace('/v1/x', '/v1/\0')],
  ['HTTP/1.0', good.replace('HTTP/1.1', 'HTTP/1.0')],
  ['HTTP/1.1 in lower case', good.replace('HTTP/1.1', 'http/1.1')],
  ['a blank after the version', good.replace('HTTP/1.1', 'HTTP/1.1 ')],
  ['HTTP/0.9', good.replace(' HTTP/1.1', '')],
  ['bare line feeds', good.replaceAll('\r\n', '\n')],
  ['one bare line feed', good.replace('h\r\n', 'h\n')],
  ['one bare carriage return', good.replace('h\r\n', 'h\rX: y\r\n')],
  ['a folded line', `${good}X: a\r\n b\r\n`],
  ['a line that begins with a blank', good.replace('Host', ' Host')],
  ['blank before the colon', good.replace('Host:', 'Host :')],
  ['no colon', `${good}nothing\r\n`],
  ['no name', `${good}: x\r\n`],
  ['a name with a NUL', `${good}X\0: x\r\n`],
  ['a value with a NUL', `${good}X: \0\r\n`],
  ['a value with DEL', `${good}X: \x7f\r\n`],
  ['a value beyond ASCII', `${good}X: \xe9\r\n`],
  ['two hosts', `${good}host: h\r\n`],
  ['no host', good.replace('Host: h\r\n', '')],
  ['no length', good.replace('Content-Length: 3\r\n', '')],
  ['two lengths that agree', `${good}content-length: 3\r\n`],
  ['any header twice', `${good}X-A: 1\r\nx-a: 2\r\n`],
  ['a chunked body', `${good}Transfer-Encoding: chunked\r\n`],
  ['another coding', `${good}transfer-encoding: identity\r\n`],
  ['Connection: close', `${good}Connection: close\r\n`],
  ['a connection that names a header', `${good}Connection: keep-alive, x-a\r\n`],
  ['Expect', `${good}Expect: 100-continue\r\n`],
  ['Upgrade', `${good}Upgrade: websocket\r\n`],
  ['Trailer', `${good}Trailer: x\r\n`],
  ['TE', `${good}TE: trailers\r\n`],
  ['Keep-Alive', `${good}Keep-Alive: timeout=5\r\n`],
  ['Proxy-Connection', `${good}Proxy-Connection: keep-alive\r\n`],
  ['HTTP2-Settings', `${good}HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n`],
  ['65 headers', good + Array.from({ length: 63 }, (_, i) => `x${i}: 1\r\n`).join('')],
  ...lengths.map((length) => [`the length \`${length}\``, good.replace('3', length)] as const),
];
for (const [name, text] of notPlain)
  test(`not plain: ${name}`, () => assert.equal(read(`${text}\r\nabc`), undefined));

test('a head that has not come whole, or is longer than the limit, is not plain', () => {
  const whole = `${good}\r\n`;
  for (let at = 0; at < whole.length; at += 1) assert.equal(read(whole.slice(0, at)), undefined);
  assert.ok(read(whole, whole.length));
  assert.equal(read(whole, whole.length - 1), undefined);
});

test('a flood of headers is given up at the 65th: names are not compared each with thousands', () => {
  const lines = Array.from({ length: 6_000 }, (_, i) => `${(46_656 + i).toString(36)}:\r\n`).join('');
  const flood = Buffer.from(`${good}${lines}\r\n`, 'latin1');
  const begun = performance.now();
  for (let i = 0; i < 20; i += 1) assert.equal(readPlainHead(flood, 1_048_576), undefined);
  assert.ok(performance.now() - begun < 200, `${performance.now() - begun} ms`);
});

type Seen = {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  body: string;
  isWhole: boolean;
};

/** What Node's parser makes of these bytes: its requests in order. Bad bytes add one with the error as its method. */
async function nodeReads(bytes: Buffer): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  const server = createServer({ maxHeaderSize: limit, requireHostHeader: true }, (request, response) => {
    const { method = '', url = '', rawHeaders } = request;
    const one: Seen = { method, url, rawHeaders, body: '', isWhole: false };
    seen.push(one);
    request.setEncoding('latin1');
    request.on('data', (text: string) => {
      one.body += text;
    });
    request.on('end', () => {
      one.isWhole = true;
      response.end();
    });
    request.on('error', () => undefined);
  });
  server.on('clientError', (error: Error, socket) => {
    seen.push({ method: error.message, url: '', rawHeaders: [], body: '', isWhole: false });
    socket.destroy();
  });
  const wire = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  wire.on('error', () => undefined);
  server.emit('connection', wire);
  wire.push(bytes);
  for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  wire.destroy();
  return seen;
}

const next = 'GET /next HTTP/1.1\r\nHost: n\r\n\r\n';

/** Holds one chunk that may be a head to what Node reads. True if it was plain. */
async function isReadAlike(chunk: Buffer): Promise<boolean> {
  const head = readPlainHead(chunk, limit);
  if (head === undefined) return false;
  const body = 'POST / HTTP/1.1\r\n\r\n'.repeat(1_000).slice(0, Math.min(head.contentLength, 10_000));
  const bytes = Buffer.concat([chunk.subarray(0, head.bodyAt), Buffer.from(body + next, 'latin1')]);
  const [first, second, ...others] = await nodeReads(bytes);
  const { target: url, rawHeaders } = head;
  const text = JSON.stringify(chunk.toString('latin1'));
  if (head.contentLength > body.length) {
    assert.equal(first?.method, 'POST', text);
    assert.equal(first.isWhole, false);
    return true;
  }
  assert.deepEqual(first, { method: 'POST', url, rawHeaders: [...rawHeaders], body, isWhole: true }, text);
  const after = { method: 'GET', url: '/next', rawHeaders: ['Host', 'n'], body: '', isWhole: true };
  assert.deepEqual([second, ...others], [after], text);
  return true;
}

const oddBytes = [
  '\0',
  '\t',
  '\n',
  '\r',
  ' ',
  ':',
  ',',
  ';',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '#',
  '?',
  '%',
  '\\',
  '"',
];
const someText = fc.array(fc.constantFrom(...oddBytes, 'a', 'Z', '0', '_', '-', '.', '/'), { maxLength: 8 });
const odd = someText.map((parts) => parts.join(''));
const length = fc.oneof(
  fc.nat({ max: 40 }).map(String),
  fc.constantFrom(...lengths.filter((text) => text !== '٥'), ' 5', '5 ', '\t5', '00012', '9'.repeat(15)),
);
const name = fc.constantFrom(
  'X-A',
  'x-b',
  'Host',
  'Content-Length',
  'Content-Type',
  'accept',
  'TE',
  'Connection',
);
const value = fc.oneof(
  fc.constantFrom('', 'a', 'keep-alive', 'close', 'a, b', 'chunked', 'x y', '\ta\t', '"q;\\"'),
  odd,
);
const line = fc.oneof(
  fc.tuple(
    name,
    fc.constantFrom(':', ': ', ':\t ', ' :'),
    value,
    fc.constantFrom('\r\n', '\r\n', ' \r\n', '\n'),
  ),
  fc.tuple(name, fc.constantFrom(': '), value, fc.constantFrom('\r\n')),
);
const target = fc.oneof(
  fc.constant('/v1/x'),
  fc
    .string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) })
    .map((t) => `/${t}`),
  odd.map((text) => `/${text}`),
);
const change = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('flip', 'insert', 'drop'),
  byte: fc.nat({ max: 255 }),
});

const chunk = fc
  .record({
    target,
    length,
    lines: fc.array(line, { maxLength: 4 }),
    changes: fc.oneof(fc.constant([]), fc.array(change, { maxLength: 3 })),
  })
  .map(({ target: path, length: bytes, lines, changes }) => {
    const own = lines.map((parts) => parts.join('')).join('');
    const head = [
      ...Buffer.from(`POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes}\r\n${own}\r\n`, 'latin1'),
    ];
    for (const { at, kind, byte } of changes) {
      const place = at % head.length;
      if (kind === 'flip') head[place] = byte;
      else head.splice(place, kind === 'drop' ? 1 : 0, ...(kind === 'drop' ? [] : [byte]));
    }
    return Buffer.from(head);
  });

test('whatever is plain is read by Node as the same request, with the same body, and the next one after it', async () => {
  let plain = 0;
  await fc.assert(
    fc.asyncProperty(chunk, async (bytes) => {
      if (await isReadAlike(bytes)) plain += 1;
    }),
    { numRuns: 4_000 },
  );
  assert.ok(plain > 200, `${plain} were plain`);
});

test('each byte in each place of a plain head leaves it read alike, or not plain', async () => {
  const head = 'POST /a?b HTTP/1.1\r\nHost: h\r\nX:\tv \r\nContent-Length: 12\r\n\r\n';
  let plain = 0;
  for (let at = 0; at < head.length; at += 1)
    for (let byte = 0; byte < 256; byte += 1) {
      const bytes = Buffer.from(head, 'latin1');
      bytes[at] = byte;
      if (await isReadAlike(bytes)) plain += 1;
    }
  assert.ok(plain > 800, `${plain} were plain`);
});
