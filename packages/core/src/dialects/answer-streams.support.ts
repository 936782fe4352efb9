// Owns what the tests of answers share: streams of events in both dialects, and following one.

import { createAnswerReader } from './answer.ts';
import type { EndpointId } from './endpoints.ts';
import { createSseReader } from './sse.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
export const decodeUtf8 = (bytes: Uint8Array) => decoder.decode(bytes);
export const estimates = { inputTokens: 40, bytesPerToken: 4 };

export function follow(endpoint: EndpointId, stream: string, choices = 1, size = 1_000_000) {
  const bytes = new TextEncoder().encode(stream);
  const reader = createSseReader(decodeUtf8);
  const answer = createAnswerReader(endpoint, choices, decodeUtf8);
  let passed = '';
  for (let at = 0; at < bytes.length; at += size) {
    const batch = reader.push(bytes.slice(at, at + size));
    passed += decodeUtf8(batch.bytes.subarray(0, answer.read(batch)));
  }
  return { passed, report: answer.report(estimates), ending: answer.ending() };
}
export const sse = (...events: readonly unknown[]) =>
  events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
export const named = (...events: readonly { readonly type: string }[]) =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

export const chunk = (content: string, finish: string | null, index = 0) => ({
  id: 'chatcmpl-1',
  model: 'gpt-5-mini-2025',
  choices: [{ index, delta: { content }, finish_reason: finish }],
  usage: null,
});
export const start = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    model: 'claude-sonnet-4-5-20250929',
    usage: {
      input_tokens: 10,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 8,
      cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 6 },
      output_tokens: 1,
      service_tier: 'standard',
    },
  },
};
export const delta = {
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text: 'x'.repeat(40) },
};
