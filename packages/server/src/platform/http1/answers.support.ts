// Owns what the tests of reading answers share: a recorder, generated answers, and samples to damage.

import fc from 'fast-check';
import type { ConnectionUser } from './connection.ts';
import type { ProtocolError } from './protocol-error.ts';
import { ResponseReader } from './response-reader.ts';

/** What a sink heard. `endings` is for what must be one; `end` says which it was. */
export type Heard = {
  readonly status: number | undefined;
  readonly headers: readonly string[];
  readonly body: string;
  readonly end: 'complete' | 'invalid' | 'too_large' | 'open';
  readonly endings: number;
  readonly isReusable: boolean;
};

export type Reading = { readonly isHead?: boolean; readonly isClosed?: boolean; readonly holdsAll?: boolean };

/** Reads the pieces in turn, then the connection's end if `isClosed`. `holdsAll`: the sink pauses after each event. */
export function hear(pieces: readonly Buffer[], how: Reading = {}): Heard {
  const reader = new ResponseReader();
  let status: number | undefined;
  let headers: readonly string[] = [];
  const body: Uint8Array[] = [];
  let end: Heard['end'] = 'open';
  let endings = 0;
  const sink = {
    onHead(gotStatus: number, gotHeaders: readonly string[]) {
      if (status !== undefined || endings > 0) throw new Error('a head came twice, or after an end');
      status = gotStatus;
      headers = gotHeaders;
      return how.holdsAll !== true;
    },
    onBody(chunk: Uint8Array) {
      if (status === undefined || endings > 0)
        throw new Error('a body came before its head, or after an end');
      if (chunk.length === 0) throw new Error('an empty piece came');
      body.push(chunk);
      return how.holdsAll !== true;
    },
    onComplete() {
      end = 'complete';
      endings += 1;
    },
    onBroken(error: ProtocolError) {
      end = error.kind;
      endings += 1;
    },
  } satisfies ConnectionSink;
  reader.begin(how.isHead === true);
  for (const piece of pieces) {
    reader.read(piece, sink);
    while (reader.isHolding) reader.go(sink);
  }
  if (how.isClosed === true && endings === 0) reader.end(sink);
  return {
    status,
    headers,
    body: Buffer.concat(body).toString('latin1'),
    end,
    endings,
    isReusable: endings === 1 && reader.isReusable,
  };
}

type ConnectionSink = Omit<ConnectionUser, 'onReady' | 'onBroken'> & { onBroken(error: ProtocolError): void };

/** Cuts bytes at each of the places, which may repeat and stand in any order. */
export function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return sorted
    .slice(1)
    .map((to, index) => bytes.subarray(sorted[index], to))
    .filter((piece) => piece.length > 0);
}

export type Answer = {
  readonly bytes: Buffer;
  /** True: its end is the connection's. */
  readonly isClosed: boolean;
};

const tokenText = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/);
/** Inside of a value anything but controls; its ends are trimmed anyway. */
const valueText = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,40}$/);
const blank = fc.stringMatching(/^[ \t]{0,3}$/);
const reserved =
  /^(connection|proxy-connection|keep-alive|content-length|content-encoding|transfer-encoding|upgrade|trailer|__proto__|location)$/i;

const header = fc
  .tuple(
    // Undici's records have members of their own, such as `constructor`.
    tokenText.filter((name) => !reserved.test(name) && !(name.toLowerCase() in {})),
    blank,
    valueText,
    blank,
  )
  .map(([name, before, value, after]) => `${name}:${before}${value}${after}\r\n`);

const headers = fc.array(header, { maxLength: 8 }).map((lines) => lines.join(''));
const interim = fc
  .tuple(fc.constantFrom(102, 103, 199), headers)
  .map(([status, lines]) => `HTTP/1.1 ${status} Wait\r\n${lines}\r\n`);
const payload = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

const chunk = fc
  .tuple(payload, fc.constantFrom('', ';a=b', ';a="b c\\"\xe9"', ';x;y=1'), fc.boolean(), fc.nat(3))
  .map(([data, extension, isUpper, zeros]) => {
    const digits = '0'.repeat(zeros) + data.length.toString(16);
    return data === '' ? '' : `${isUpper ? digits.toUpperCase() : digits}${extension}\r\n${data}\r\n`;
  });

const framed = fc.oneof(
  payload.map((data) => ({ line: `Content-Length: ${data.length}\r\n`, data, isClosed: false })),
  fc
    .tuple(fc.array(chunk, { maxLength: 6 }), fc.array(header, { maxLength: 2 }))
    .map(([chunks, trailers]) => ({
      line: 'transfer-encoding: Chunked\r\n',
      data: `${chunks.join('')}0\r\n${trailers.join('')}\r\n`,
      isClosed: false,
    })),
  payload.map((data) => ({ line: '', data, isClosed: true })),
);

/** Answers that are right: with a length, in chunks or until the close, after interim ones, with odd headers. */
export const answers: fc.Arbitrary<Answer> = fc
  .tuple(
    fc.array(interim, { maxLength: 2 }),
    fc.constantFrom('200 OK', '201 ', '404 Not Found', '429 T\xe9', '500 x'),
    headers,
    framed,
    headers,
  )
  .map(([before, status, first, { line, data, isClosed }, last]) => ({
    bytes: Buffer.from(`${before.join('')}HTTP/1.1 ${status}\r\n${first}${line}${last}\r\n${data}`, 'latin1'),
    isClosed,
  }));

/** Whole answers of each framing. */
const samples: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 13\r\nkeep-alive: timeout=5\r\n\r\n{"a":"b","c"}',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=1\r\n world\r\n0\r\nx-t: 1\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok',
  'HTTP/1.1 204 No Content\r\nx: y\r\n\r\n',
  'HTTP/1.0 200 OK\r\nserver: old\r\n\r\nuntil the close',
];

/** One of the samples with one fault in it. */
export const damaged: fc.Arbitrary<Buffer> = fc
  .record({
    sample: fc.constantFrom(...samples),
    at: fc.nat(200),
    how: fc.constantFrom('flip', 'insert', 'drop', 'double', 'end'),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 9, 10, 13, 32, 44, 48, 58, 59)),
  })
  .map(({ sample, at, how, byte }) => {
    const bytes = Buffer.from(sample, 'latin1');
    const place = at % bytes.length;
    const rest =
      how === 'end' ? [] : bytes.subarray(how === 'insert' || how === 'double' ? place : place + 1);
    const put = { flip: [byte], insert: [byte], double: bytes.subarray(place), drop: [], end: [] };
    return Buffer.from([...bytes.subarray(0, place), ...put[how], ...rest]);
  });
