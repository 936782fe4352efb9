// Owns the check that event streams are cut into the same events however they arrive, and that tricks end them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSseReader, eventsOf, maxSseEventBytes } from './sse.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);
const encode = (text: string) => new TextEncoder().encode(text);

type Outcome = {
  readonly events: readonly { readonly name: string; readonly data: string; readonly raw: string }[];
  readonly fault: string | undefined;
  readonly passed: string;
};

function run(stream: Uint8Array, cuts: readonly number[], maxEventBytes = maxSseEventBytes): Outcome {
  const reader = createSseReader(decodeUtf8, maxEventBytes);
  const bounds = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
  const events: { readonly name: string; readonly data: string; readonly raw: string }[] = [];
  const passed: Uint8Array[] = [];
  let fault: string | undefined;
  for (let i = 0; i < bounds.length; i += 1) {
    const isLast = i === bounds.length - 1;
    const batch = isLast ? reader.finish() : reader.push(stream.slice(bounds[i], bounds[i + 1]));
    for (const { start, end, name, data } of eventsOf(batch, decodeUtf8)) {
      events.push({ name, data, raw: Buffer.from(batch.bytes.subarray(start, end)).toString('latin1') });
    }
    assert.equal(batch.text, decodeUtf8(batch.bytes));
    passed.push(batch.bytes);
    fault ??= batch.fault;
  }
  return { events, fault, passed: Buffer.concat(passed).toString('latin1') };
}

const piece = fc.constantFrom(
  'data: {"a":1}\n\n',
  'event: x\ndata: é☃🙂\n\n',
  'data: a\r\ndata: b\r\n\r\n',
  ': ping\n\n',
  '\n',
  '\r\n',
  'data:x\n',
  'id: 1\nretry: 5\n',
  'data\n\n',
  'data: tab\there\n\n',
);
const spoiled = fc.constantFrom(
  'data: a\rdata: b\n\n',
  'data: \0\n\n',
  'data: \u001b[2J\n\n',
  `data: ${'y'.repeat(300)}\n\n`,
);

test('any way of cutting a stream gives the same events, the same bytes and the same fault', () => {
  const stream = fc.tuple(
    fc.array(piece, { maxLength: 12 }),
    fc.option(spoiled),
    fc.array(piece, { maxLength: 4 }),
  );
  fc.assert(
    fc.property(stream, fc.array(fc.nat(), { maxLength: 30 }), ([before, bad, after], cuts) => {
      const bytes = encode([...before, bad ?? '', ...after].join(''));
      const whole = run(bytes, [], 200);
      assert.deepEqual(run(bytes, cuts, 200), whole);
      assert.deepEqual(run(bytes, [...bytes.keys()], 200), whole);
      const all = Buffer.from(bytes).toString('latin1');
      if (whole.fault === undefined) assert.equal(whole.passed, all);
      else assert.ok(all.startsWith(whole.passed));
      assert.equal(whole.fault !== undefined, bad !== null);
    }),
    { numRuns: 500 },
  );
});

test('events are read as the WHATWG standard reads them', () => {
  const { events } = run(encode('event: a\ndata: one\ndata:two\n:c\nid: 9\n\ndata:  x\n\n: only\n\n'), []);
  assert.deepEqual(
    events.map(({ name, data }) => [name, data]),
    [
      ['a', 'one\ntwo'],
      ['', ' x'],
      ['', ''],
    ],
  );
});

test('FAULTS row 14: bad UTF-8, marks and events of 100 MB end the stream, with the good events before them passed', () => {
  const good = encode('data: ok\n\n');
  const bad = new Uint8Array([...good, 0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a]);
  assert.deepEqual([run(bad, []).fault, run(bad, []).events.length], ['invalid_utf8', 1]);
  assert.equal(run(encode('\ufeffdata: x\n\n'), []).fault, 'byte_order_mark');
  const reader = createSseReader(decodeUtf8);
  assert.equal(reader.push(good).bytes.length, good.length);
  const block = encode('x'.repeat(64 * 1024));
  let fault: string | undefined;
  let pushed = 0;
  while (fault === undefined && pushed < 1600) {
    fault = reader.push(block).fault;
    pushed += 1;
  }
  assert.equal(fault, 'event_too_large');
  assert.ok(pushed <= maxSseEventBytes / block.length + 1);
  assert.deepEqual(reader.push(good), { bytes: new Uint8Array(0), text: '', fault: 'event_too_large' });
});

test('an event of exactly the bound passes and one byte more does not', () => {
  const event = encode(`data: ${'x'.repeat(92)}\n\n`);
  assert.equal(run(event, [], 100).fault, undefined);
  assert.equal(run(event, [], 99).fault, 'event_too_large');
});

test('a last event without its blank line is passed at the end', () => {
  const { events, fault } = run(encode('data: a\n\ndata: [DONE]'), []);
  assert.deepEqual([events.map(({ data }) => data), fault], [['a', '[DONE]'], undefined]);
});
