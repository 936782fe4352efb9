// Owns the sandbox's messages and their count: https://docs.anthropic.com/en/api/messages

import type { JsonObject } from '@countersign/core/json';
import { z } from 'zod';
import {
  errorAnswer,
  jsonAnswer,
  lastUserText,
  needsModel,
  parseBody,
  type SandboxAnswer,
  type SandboxCall,
  streamAnswer,
  turn,
  typedEvent,
} from './answer.ts';
import { countPrompt, type Reply, replyTo } from './reply.ts';

const prompt = {
  model: z.string().min(1),
  messages: z.array(turn).min(1),
  system: z.unknown().optional(),
  tools: z.unknown().optional(),
  tool_choice: z.unknown().optional(),
  output_format: z.unknown().optional(),
  output_config: z.looseObject({ format: z.unknown().optional() }).nullish(),
};
const countRequest = z.looseObject(prompt);
const messageRequest = z.looseObject({
  ...prompt,
  max_tokens: z.number().int().min(1),
  stream: z.boolean().nullish(),
});
type MessageRequest = z.infer<typeof messageRequest>;

function usageOf(input: number, output: number): JsonObject {
  return {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: output,
    service_tier: 'standard',
  };
}

function stopOf(reply: Reply): string {
  return reply.isCut ? 'max_tokens' : 'end_turn';
}

function messageObject(request: MessageRequest, call: SandboxCall, fields: JsonObject): JsonObject {
  return {
    id: `msg_${call.nonce}`,
    type: 'message',
    role: 'assistant',
    model: request.model,
    stop_sequence: null,
    ...fields,
  };
}

function events(request: MessageRequest, call: SandboxCall, reply: Reply, input: number): readonly string[] {
  const message = messageObject(request, call, { content: [], stop_reason: null, usage: usageOf(input, 1) });
  const delta = { stop_reason: stopOf(reply), stop_sequence: null };
  return [
    typedEvent({ type: 'message_start', message }),
    typedEvent({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    typedEvent({ type: 'ping' }),
    ...reply.words.map((text) =>
      typedEvent({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    ),
    typedEvent({ type: 'content_block_stop', index: 0 }),
    typedEvent({ type: 'message_delta', delta, usage: usageOf(input, reply.tokens) }),
    typedEvent({ type: 'message_stop' }),
  ];
}

/** `POST /v1/messages`. */
export function answerMessage(call: SandboxCall): SandboxAnswer {
  const parsed = parseBody(messageRequest, 'anthropic', call);
  if (!parsed.ok) return parsed.answer;
  const request = parsed.value;
  const refusal =
    needsModel('output_format', request.output_format, []) ??
    needsModel('output_config.format', request.output_config?.format, []) ??
    needsModel('tool_choice', request.tool_choice, ['auto', 'none']);
  if (refusal !== undefined) return errorAnswer('anthropic', call, 400, refusal);
  const reply = replyTo(lastUserText(request.messages), request.max_tokens);
  const input = countPrompt(request.system, request.messages, request.tools);
  if (request.stream === true) {
    return streamAnswer('anthropic', call, request.model, events(request, call, reply, input));
  }
  const fields = {
    content: [{ type: 'text', text: reply.text }],
    stop_reason: stopOf(reply),
    usage: usageOf(input, reply.tokens),
  };
  return jsonAnswer('anthropic', call, messageObject(request, call, fields));
}

/** `POST /v1/messages/count_tokens`. */
export function answerCount(call: SandboxCall): SandboxAnswer {
  const parsed = parseBody(countRequest, 'anthropic', call);
  if (!parsed.ok) return parsed.answer;
  const { system, messages, tools } = parsed.value;
  return jsonAnswer('anthropic', call, { input_tokens: countPrompt(system, messages, tools) });
}
