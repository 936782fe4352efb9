// Tests the reading of answers by the load generator, however the network cuts them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerReader } from './answer-reader.ts';

const answers = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' +
    'HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nConnection: close\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '9\r\ndata: a\n\n\r\nA\r\ndata: bb\n\n\r\n0\r\n\r\n' +
    'HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok',
);

function readInPieces(pieces: readonly Buffer[]) {
  const ended: { status: number; isClosing: boolean; bytes: number; events: number }[] = [];
  let bytes = 0;
  let events = 0;
  const reader = new AnswerReader({
    onPayload(count, ends) {
      bytes += count;
      events += ends;
    },
    onEnd(status, isClosing) {
      ended.push({ status, isClosing, bytes, events });
      bytes = 0;
      events = 0;
    },
  });
  for (const piece of pieces) reader.push(piece);
  return ended;
}

const expected = [
  { status: 200, isClosing: false, bytes: 5, events: 0 },
  { status: 429, isClosing: true, bytes: 0, events: 0 },
  { status: 200, isClosing: false, bytes: 19, events: 2 },
  { status: 201, isClosing: false, bytes: 2, events: 0 },
];

test('each answer ends where it ends', () => {
  assert.deepEqual(readInPieces([answers]), expected);
});

test('cuts between packets change nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: answers.length })), (cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), answers.length];
      const pieces = edges.slice(1).map((edge, i) => answers.subarray(edges[i] ?? 0, edge));
      assert.deepEqual(readInPieces(pieces), expected);
    }),
  );
});
