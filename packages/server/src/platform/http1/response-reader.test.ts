// Owns the claims about reading answers: each has one reading, however it is cut, and what has two is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answers, cut, damaged, type Heard, hear, type Reading } from './answers.support.ts';
import { chunked, refused, withLine } from './hostile-answers.support.ts';

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function hearText(text: string, how?: Reading): Heard {
  return hear([bytesOf(text)], how);
}

for (const [name, text] of refused) {
  test(`${name} makes an answer invalid, at once and in any cut`, () => {
    const whole = hearText(text);
    assert.equal(whole.end, 'invalid');
    assert.equal(whole.endings, 1);
    const bytes = bytesOf(text);
    const single = hear(cut(bytes, Array.from(bytes.keys())));
    assert.deepEqual([single.end, single.endings, single.body], [whole.end, 1, whole.body]);
  });
}

const taken: readonly (readonly [string, string, Reading, Partial<Heard>])[] = [
  ['a length', withLine('x: y'), {}, { body: 'ok', isReusable: true }],
  [
    'names in any case',
    'HTTP/1.1 200 OK\r\nConTent-LENGTH: 2\r\n\r\nok',
    {},
    { body: 'ok', isReusable: true },
  ],
  ['a status without a reason', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', {}, { isReusable: true }],
  ['blanks around a value', withLine('x:\t a b \t'), {}, { headers: ['x', 'a b', 'content-length', '2'] }],
  ['an empty value', withLine('x:'), {}, { headers: ['x', '', 'content-length', '2'] }],
  ['latin1 in a value', withLine('x: \xe9'), {}, { headers: ['x', '\xe9', 'content-length', '2'] }],
  ['a header twice', withLine('x: 1\r\nX: 2'), {}, { headers: ['x', '1', 'x', '2', 'content-length', '2'] }],
  ['zeros before a length', 'HTTP/1.1 200 OK\r\ncontent-length: 002\r\n\r\nok', {}, { body: 'ok' }],
  [
    'chunks',
    `${chunked}5\r\nhello\r\n00A;q="\xe9"\r\n 123456789\r\n0\r\n\r\n`,
    {},
    { body: 'hello 123456789', isReusable: true },
  ],
  [
    'trailers',
    `${chunked}0;a\r\nx: 1\r\ny:\r\n\r\n`,
    {},
    { body: '', headers: ['transfer-encoding', 'chunked'] },
  ],
  [
    'nothing that frames it',
    'HTTP/1.1 200 OK\r\n\r\nok',
    { isClosed: true },
    { body: 'ok', isReusable: false },
  ],
  ['nothing, and no body', 'HTTP/1.1 200 OK\r\n\r\n', { isClosed: true }, { body: '', isReusable: false }],
  [
    'HTTP/1.0',
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n',
    {},
    { isReusable: false },
  ],
  ['a close', withLine('connection: close'), {}, { body: 'ok', isReusable: false }],
  ['a close in a list', withLine('connection: x , CLOSE'), {}, { body: 'ok', isReusable: false }],
  ['HEAD with a length', withLine('x: y').slice(0, -2), { isHead: true }, { body: '', end: 'complete' }],
  ['HEAD with chunks', chunked, { isHead: true }, { body: '', end: 'complete' }],
  ['204', 'HTTP/1.1 204 x\r\n\r\n', {}, { body: '', isReusable: true }],
  ['204 with a length', 'HTTP/1.1 204 x\r\ncontent-length: 2\r\n\r\n', {}, { body: '', isReusable: false }],
  ['304 with a length', 'HTTP/1.1 304 x\r\ncontent-length: 2\r\n\r\n', {}, { body: '', isReusable: false }],
  ['bytes behind it', `${withLine('x: y')}HTTP/1.1 200`, {}, { body: 'ok', isReusable: false }],
  ['bytes behind a 204', 'HTTP/1.1 204 x\r\n\r\nok', {}, { body: '', isReusable: false }],
  [
    '8 interim answers',
    `${'HTTP/1.1 103 x\r\na: b\r\n\r\n'.repeat(8)}${withLine('x: y')}`,
    {},
    { status: 200, body: 'ok' },
  ],
];

for (const [name, text, how, expected] of taken) {
  test(`an answer with ${name} is read to its end, in any cut`, () => {
    const whole = hearText(text, how);
    assert.deepEqual({ ...whole, ...expected }, whole);
    assert.equal(whole.end, 'complete');
    const bytes = bytesOf(text);
    // What stands behind an answer comes too late for it when it comes alone: the connection sees to that.
    if (!name.startsWith('bytes behind'))
      assert.deepEqual(hear(cut(bytes, Array.from(bytes.keys())), how), whole);
    assert.deepEqual(hear([bytes], { ...how, holdsAll: true }), whole);
  });
}

test('what ends before its end is no end', () => {
  const short = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok';
  assert.equal(hearText(short, { isClosed: true }).end, 'open');
  assert.equal(hearText(`${chunked}2\r\nok\r\n`, { isClosed: true }).end, 'open');
  assert.equal(hearText('HTTP/1.1 200 OK\r\nconnec', { isClosed: true }).end, 'open');
  // Where the close was announced, it is the server that broke its word.
  assert.equal(
    hearText(short.replace('\r\n', '\r\nconnection: close\r\n'), { isClosed: true }).end,
    'invalid',
  );
});

test('nine interim answers are too many', () => {
  assert.equal(hearText('HTTP/1.1 103 x\r\n\r\n'.repeat(9)).end, 'invalid');
});

test('a head, an extension and trailers have one bound', () => {
  const headOf = (length: number): string => {
    const head = 'HTTP/1.1 204 x\r\nx: ';
    return `${head}${'y'.repeat(length - head.length - 4)}\r\n\r\n`;
  };
  assert.equal(hearText(headOf(32_768)).end, 'complete');
  assert.equal(hearText(headOf(32_769)).end, 'too_large');
  assert.equal(hearText(headOf(32_769).slice(0, 32_768)).end, 'too_large');
  assert.equal(hearText(`${chunked}5;${'x'.repeat(32_767)}`).end, 'open');
  assert.equal(hearText(`${chunked}5;${'x'.repeat(32_768)}`).end, 'too_large');
  assert.equal(hearText(`${chunked}0\r\n${'x: y\r\n'.repeat(9_000)}`).end, 'too_large');
});

test('a head that comes byte by byte is read in linear time', () => {
  const head = bytesOf(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(5_000)}content-length: 0\r\n\r\n`);
  const began = performance.now();
  assert.equal(hear(cut(head, Array.from(head.keys()))).headers.length, 10_002);
  assert.ok(performance.now() - began < 1_000);
});

test('however right answers are cut and paused, they are what they are in one piece', () => {
  fc.assert(
    fc.property(
      answers,
      fc.array(fc.nat(2_000), { maxLength: 12 }),
      fc.boolean(),
      ({ bytes, isClosed }, places, holdsAll) => {
        const whole = hear([bytes], { isClosed });
        assert.equal(whole.end, 'complete');
        assert.deepEqual(hear(cut(bytes, places), { isClosed, holdsAll }), whole);
      },
    ),
    { numRuns: 500 },
  );
});

test('garbage anywhere ends an answer once or leaves it open, the same in any cut', () => {
  fc.assert(
    fc.property(damaged, fc.array(fc.nat(300), { maxLength: 5 }), fc.boolean(), (bytes, places, holdsAll) => {
      const { isReusable: _, ...whole } = hear([bytes], { isClosed: true });
      assert.ok(whole.endings <= 1);
      // What stands behind an answer is seen with it or later, as it is cut.
      const { isReusable: __, ...again } = hear(cut(bytes, places), { isClosed: true, holdsAll });
      assert.deepEqual(again, whole);
    }),
    { numRuns: 6_000 },
  );
});
