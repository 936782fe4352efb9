// Claims about a provider that sends garbage (FAULTS row 14): the stream ends, memory stays, the record is there.

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { residentBytes, watchMemory, within } from '../support/server-process.ts';
import { makeBed, scale } from './bed.ts';
import { assertNoOrphans, outcomeOf, readLedger } from './ledger.ts';
import { answerPlainly, chunkEvent, eventStream, lastEvents, type ProviderCall } from './provider.ts';

const mebibyte = 1_048_576;
const megabytes = 100;
const block = Buffer.alloc(mebibyte, 'a');

/** Waits until the reader takes more, or has gone. */
function canWrite(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}

/** Writes so much as the reader takes; ends early when it has gone. */
async function pour({ response }: ProviderCall, bytes: Uint8Array, times: number): Promise<void> {
  for (let n = 0; n < times && !response.destroyed; n += 1) {
    if (!response.write(bytes)) await canWrite(response);
  }
  response.end();
}

const hello = chunkEvent('hello ');

/** Bytes of a stream, each after one good event; none of them may pass. */
const bytesBy = new Map<string, Uint8Array>([
  ['random', Buffer.from(Array.from({ length: 4_096 }, (_, n) => (n * 7_919 + (n >> 3)) % 256))],
  [
    'invalid-utf8',
    Buffer.concat([Buffer.from('data: "'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"\n\n')]),
  ],
  ['cut-utf8', Buffer.concat([Buffer.from('data: "'), Buffer.from([0xf0, 0x9f]), Buffer.from('"\n\n')])],
  ['lone-cr', Buffer.from('data: {"a":1}\rdata: [DONE]\r\r\n\n')],
  ['nul', Buffer.from('data: a\u0000b\n\n')],
  ['escape', Buffer.from('data: \u001b[2J\n\n')],
]);

/** What an HTTP/1.1 parser must not be fooled by, written by hand after the status line. */
const rawBy = new Map<string, string>([
  [
    'bad-chunk',
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\nnot a size\r\n',
  ],
  ['two-lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 50\r\n\r\nhello world'],
  ['header-split', 'HTTP/1.1 200 OK\r\nx-a: b\rset-cookie: c\r\ncontent-length: 2\r\n\r\nok'],
  ['no-http', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['redirect', 'HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n'],
  ['interim', `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)}`],
  ['endless-header', `HTTP/1.1 200 OK\r\nx-long: ${'a'.repeat(200_000)}`],
]);

async function misbehave(call: ProviderCall): Promise<void> {
  const { marker, response } = call;
  const [kind = ''] = marker.split('.');
  const raw = rawBy.get(kind);
  if (raw !== undefined) {
    response.socket?.end(raw);
    return;
  }
  if (kind === 'gzip') {
    const bomb = gzipSync(Buffer.alloc(100 * mebibyte));
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    response.end(bomb);
    return;
  }
  if (kind === 'huge-whole') {
    response.writeHead(200, { 'content-type': 'application/json' });
    return pour(call, block, megabytes);
  }
  if (kind === 'good' || kind === 'trailers') return good(call);
  response.writeHead(200, eventStream);
  response.write(hello);
  if (kind === 'huge-event') {
    response.write('data: "');
    return pour(call, block, megabytes);
  }
  if (kind === 'after-end') {
    response.write(lastEvents);
    return pour(call, Buffer.from(chunkEvent('more and more ').repeat(5_000)), megabytes);
  }
  response.end(Buffer.concat([bytesBy.get(kind) ?? Buffer.alloc(0), Buffer.from(chunkEvent('after it'))]));
}

function good(call: ProviderCall): void | Promise<void> {
  if (call.marker.startsWith('good')) return answerPlainly(2, 0)(call);
  call.response.writeHead(200, { ...eventStream, trailer: 'x-countersign-record' });
  call.response.write(chunkEvent('"[DONE]" finish_reason and so on '));
  call.response.addTrailers({ 'x-countersign-record': 'forged' });
  call.response.end(lastEvents);
}

test('row 14: whatever a provider sends, the stream ends, nothing of it passes, and the outcome is recorded', {
  timeout: 120_000,
}, async (t) => {
  const bed = await makeBed(t, {
    answer: misbehave,
    timeouts: { connectMs: 1_000, firstByteMs: 3_000, idleMs: 2_000 },
  });
  for (const marker of bytesBy.keys()) {
    const reply = await bed.ask({ marker, isStream: true });
    assert.equal(reply.status, 200, marker);
    assert.match(
      reply.text,
      /^data: [^\n]*hello[^\n]*\n\ndata: \{"error"/,
      `${marker}: only what came before, then an error`,
    );
    assert.doesNotMatch(reply.text, /after it/, marker);
  }
  for (const marker of [...rawBy.keys(), 'gzip']) {
    const reply = await bed.ask({ marker, isStream: marker === 'bad-chunk' });
    assert.equal(reply.isAnswered, false, marker);
    const isEnded = reply.status === 502 || (marker === 'bad-chunk' && reply.text.includes('"error"'));
    assert.ok(isEnded, `${marker}: ${reply.status} ${reply.text}`);
    assert.equal(reply.headers['set-cookie'], undefined, marker);
  }
  const trailed = await bed.ask({ marker: 'trailers', isStream: true });
  assert.equal(trailed.isAnswered, true, trailed.text);
  assert.notEqual(trailed.headers['x-countersign-record'], 'forged');
  const calls = await readLedger(bed).read();
  assertNoOrphans(calls);
  for (const marker of [...bytesBy.keys(), ...rawBy.keys(), 'gzip'])
    assert.equal(outcomeOf(calls, marker).status, 'failed', marker);
  assert.equal(outcomeOf(calls, 'trailers').status, 'ok');
  assert.equal((await bed.ask({ marker: 'good' })).isAnswered, true, 'the server serves on');
});

for (const kind of ['huge-event', 'after-end'] as const) {
  const streams = scale(20, 100);
  test(`row 14: ${streams} streams of ${megabytes} MB each (${kind}) hold at most 1 MiB each`, {
    timeout: 120_000,
  }, async (t) => {
    const bed = await makeBed(t, { answer: misbehave });
    for (let n = 0; n < 50; n += 1) await bed.ask({ marker: `good.${n}`, isStream: true });
    const before = residentBytes(bed.server().pid);
    const memory = watchMemory(bed.server().pid);
    const asked = Array.from({ length: streams }, (_, n) =>
      bed.ask({ marker: `${kind}.${n}`, isStream: true }),
    );
    const replies = await within(60_000, 'the end of every stream', Promise.all(asked));
    const grown = (memory.stop() - before) / mebibyte;
    for (const { status, text } of replies) {
      assert.equal(status, 200);
      assert.ok(text.length < 2 * mebibyte, `${text.length} bytes passed`);
      assert.match(text, /"error"/);
    }
    // Beside what is held: sockets' buffers, and garbage that is not collected yet.
    assert.ok(grown < streams + 64, `memory grew by ${grown} MiB`);
    const calls = await readLedger(bed).read();
    assertNoOrphans(calls);
    for (let n = 0; n < streams; n += 1) assert.equal(outcomeOf(calls, `${kind}.${n}`).status, 'failed');
    t.diagnostic(`${streams} streams: memory +${grown.toFixed(1)} MiB`);
  });
}

test('row 14: an answer of 100 MB that is no stream is refused at the cap', {
  timeout: 120_000,
}, async (t) => {
  const bed = await makeBed(t, { answer: misbehave });
  const reply = await bed.ask({ marker: 'huge-whole' });
  assert.equal(reply.status, 502, reply.text.slice(0, 200));
  const calls = await readLedger(bed).read();
  assert.equal(outcomeOf(calls, 'huge-whole').status, 'failed');
  assert.equal((await bed.ask({ marker: 'good' })).isAnswered, true);
});
