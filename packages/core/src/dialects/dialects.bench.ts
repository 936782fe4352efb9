// Owns the measurement of what reading a request and following a stream cost on the hot path, one core.

import { createAnswerReader } from './answer.ts';
import { matchEndpoint } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { readJsonBody } from './json-body.ts';
import { scanJson } from './json-scan.ts';
import { defaultParseLimits } from './request-types.ts';
import { createSseReader } from './sse.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);
const encode = (text: string) => new TextEncoder().encode(text);
const deps = { decodeUtf8, limits: defaultParseLimits };

/** Median of 15 rounds, in microseconds a call. */
function measure(name: string, calls: number, work: () => void): number {
  const rounds: number[] = [];
  for (let round = 0; round < 15; round += 1) {
    const started = process.hrtime.bigint();
    for (let i = 0; i < calls; i += 1) work();
    rounds.push(Number(process.hrtime.bigint() - started) / calls / 1000);
  }
  const median = rounds.sort((a, b) => a - b)[7] ?? 0;
  console.log(`${name.padEnd(58)} ${median.toFixed(2)} µs`);
  return median;
}

const chat = matchEndpoint('POST', '/v1/chat/completions');
const messages = matchEndpoint('POST', '/v1/messages');
if (chat.kind !== 'endpoint' || messages.kind !== 'endpoint')
  throw new Error('the table of endpoints is broken');

const prompt = 'Summarise the following paragraph for a colleague.\nIt is about "tests". '.repeat(6);
const small = encode(
  JSON.stringify({
    model: 'gpt-5-mini',
    messages: [
      { role: 'system', content: prompt },
      { role: 'user', content: prompt },
    ],
    stream: true,
    stream_options: { include_usage: true },
    max_completion_tokens: 256,
    user: 'alice@example.com',
  }),
);
const agent = encode(
  JSON.stringify({
    model: 'claude',
    max_tokens: 32000,
    system: [{ type: 'text', text: prompt.repeat(20), cache_control: { type: 'ephemeral' } }],
    tools: Array.from({ length: 18 }, (_, i) => ({
      name: `tool_${i}`,
      description: prompt.repeat(3),
      input_schema: {
        type: 'object',
        properties: Object.fromEntries(
          Array.from({ length: 6 }, (_, j) => [
            `p${i}_${j}`,
            { type: 'string', description: 'a path or a pattern' },
          ]),
        ),
      },
    })),
    messages: Array.from({ length: 40 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: [{ type: 'text', text: `line\n\tindented "${i}"\n`.repeat(40) }],
    })),
    stream: true,
  }),
);
const long = encode(
  JSON.stringify({ model: 'a', messages: [{ role: 'user', content: 'x'.repeat(8_000_000) }] }),
);

for (const [name, bytes, calls] of [
  ['small', small, 20_000],
  ['agent', agent, 200],
  ['long', long, 4],
] as const) {
  const scan = measure(`${name} ${bytes.length} B: scanJson`, calls, () =>
    scanJson(bytes, 64, 1_000_000, defaultParseLimits.shape),
  );
  console.log(`${''.padEnd(58)} ${(bytes.length / scan).toFixed(0)} MB/s`);
  measure(`${name}: decode and JSON.parse alone`, calls, (): unknown => JSON.parse(decodeUtf8(bytes)));
  measure(`${name}: readJsonBody`, calls, () => readJsonBody(bytes, deps));
  const { endpoint } = name === 'agent' ? messages : chat;
  measure(`${name}: parseInferenceRequest`, calls, () => parseInferenceRequest(endpoint, bytes, deps));
}

const event = encode(
  `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-5-mini', service_tier: 'default', system_fingerprint: 'fp_1', choices: [{ index: 0, delta: { content: ' word' }, logprobs: null, finish_reason: null }], usage: null, obfuscation: 'k3jf8' })}\n\n`,
);
const delta = encode(
  `event: content_block_delta\ndata: ${JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: ' several words' } })}\n\n`,
);
for (const [name, bytes, id] of [
  ['chat chunk', event, 'chat'],
  ['messages delta', delta, 'messages'],
] as const) {
  const reader = createSseReader(decodeUtf8);
  const answer = createAnswerReader(id, 1, decodeUtf8);
  answer.read(reader.push(encode('data: {"id":"x","type":"message","message":{"id":"m"}}\n\n')));
  measure(`${name} ${bytes.length} B: sse push`, 20_000, () => reader.push(bytes));
  measure(`${name}: sse push and answer read`, 20_000, () => answer.read(reader.push(bytes)));
  const twenty = encode(decodeUtf8(bytes).repeat(20));
  measure(`20 of them in a chunk: sse push and answer read`, 2_000, () => answer.read(reader.push(twenty)));
}
