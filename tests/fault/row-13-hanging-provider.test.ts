// Claims about a provider that hangs (FAULTS row 13): a time-out, an error in the caller's dialect, a flagged bill.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from './bed.ts';
import { type Calls, outcomeOf, readLedger } from './ledger.ts';
import { chunkEvent, eventStream, type ProviderCall } from './provider.ts';

const firstByteMs = 900;
const idleMs = 600;

const anthropicStart = `event: message_start\ndata: ${JSON.stringify({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    usage: { input_tokens: 9, output_tokens: 1 },
  },
})}\n\nevent: content_block_delta\ndata: ${JSON.stringify({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text: 'some words that were said ' },
})}\n\n`;

/** Says so much and then nothing. */
function hang({ marker, response }: ProviderCall): void {
  if (marker === 'before-headers') return;
  if (marker === 'whole-body') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 500 });
    response.write('{"id":"chatcmpl-1",');
    return;
  }
  response.writeHead(200, eventStream);
  response.flushHeaders();
  if (marker === 'mid-stream') for (let n = 0; n < 5; n += 1) response.write(chunkEvent(`word number ${n} `));
  if (marker === 'anthropic') response.write(anthropicStart);
}

const cases = [
  {
    marker: 'before-headers',
    isStream: true,
    dialect: 'openai',
    limit: firstByteMs,
    status: 504,
    said: /"error"/,
  },
  { marker: 'whole-body', isStream: false, dialect: 'openai', limit: idleMs, status: 504, said: /"error"/ },
  {
    marker: 'after-headers',
    isStream: true,
    dialect: 'openai',
    limit: idleMs,
    status: 200,
    said: /^data: \{"error"/,
  },
  {
    marker: 'mid-stream',
    isStream: true,
    dialect: 'openai',
    limit: idleMs,
    status: 200,
    said: /word number 4[\s\S]*\n\ndata: \{"error"/,
  },
  {
    marker: 'anthropic',
    isStream: true,
    dialect: 'anthropic',
    limit: idleMs,
    status: 200,
    said: /words that were said[\s\S]*event: error\ndata: \{"type":"error"/,
  },
] as const;

test('row 13: a provider that hangs is timed out, told of in the dialect, and what it may bill is recorded as estimated', {
  timeout: 60_000,
}, async (t) => {
  const bed = await makeBed(t, { answer: hang, timeouts: { connectMs: 1_000, firstByteMs, idleMs } });
  const ledger = readLedger(bed);
  await Promise.all(
    cases.map(async ({ marker, isStream, dialect, limit, status, said }) => {
      const reply = await bed.ask({ marker, isStream, dialect });
      assert.equal(reply.status, status, `${marker}: ${reply.text}`);
      assert.match(reply.text, said, marker);
      assert.equal(reply.isWhole, true, `${marker}: the answer ends as HTTP says`);
      assert.ok(reply.ms < limit + 1_000, `${marker}: ${reply.ms} ms with a limit of ${limit} ms`);
      t.diagnostic(`${marker}: ended after ${Math.round(reply.ms)} ms with a limit of ${limit} ms`);
    }),
  );
  // The answers came after their outcomes: these are in the log now.
  const calls = await ledger.read();
  for (const { marker } of cases) assertBilled(calls, marker);
  assert.ok((outcomeOf(calls, 'mid-stream').usage?.out ?? 0) >= 10, 'what had streamed is counted');
  assert.equal(outcomeOf(calls, 'anthropic').usage?.in, 9, "the provider's own count is kept");
  assert.equal(bed.provider.open(), 0, 'nothing is left open at the provider');
});

function assertBilled(calls: Calls, marker: string): void {
  const outcome = outcomeOf(calls, marker);
  assert.equal(outcome.status, 'failed', marker);
  assert.equal(outcome.err?.code, 'upstream_timeout', marker);
  assert.equal(outcome.usage?.source, 'estimated', marker);
  assert.ok((outcome.usage?.cost_nanos ?? 0) > 0, `${marker} costs something`);
}
