// Owns the sandbox's chat completions: https://platform.openai.com/docs/api-reference/chat

import type { JsonObject } from '@countersign/core/json';
import { z } from 'zod';
import {
  dataEvent,
  errorAnswer,
  jsonAnswer,
  lastUserText,
  needsModel,
  parseBody,
  type SandboxAnswer,
  type SandboxCall,
  streamAnswer,
  tokenLimit,
  turn,
} from './answer.ts';
import { countPrompt, type Reply, replyTo } from './reply.ts';

const chatRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(turn).min(1),
  n: z.number().int().min(1).max(128).nullish(),
  max_tokens: tokenLimit,
  max_completion_tokens: tokenLimit,
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  response_format: z.unknown().optional(),
  tools: z.unknown().optional(),
  tool_choice: z.unknown().optional(),
});
type ChatRequest = z.infer<typeof chatRequest>;

/** The counts of an answer with so many choices, in the words of chat and completions. */
export function chatUsage(promptTokens: number, completionTokens: number): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  };
}

function finishOf(reply: Reply): string {
  return reply.isCut ? 'length' : 'stop';
}

function chunks(request: ChatRequest, call: SandboxCall, reply: Reply, usage: JsonObject): readonly string[] {
  const indexes = Array.from({ length: request.n ?? 1 }, (_, index) => index);
  const hasUsage = request.stream_options?.include_usage === true;
  const chunk = (choices: readonly JsonObject[], counts: JsonObject | null): string =>
    dataEvent({
      id: `chatcmpl-${call.nonce}`,
      object: 'chat.completion.chunk',
      created: call.created,
      model: request.model,
      service_tier: 'default',
      system_fingerprint: null,
      choices,
      ...(hasUsage ? { usage: counts } : {}),
    });
  const each = (delta: JsonObject, finish: string | null): readonly string[] =>
    indexes.map((index) => chunk([{ index, delta, logprobs: null, finish_reason: finish }], null));
  return [
    ...each({ role: 'assistant', content: '', refusal: null }, null),
    ...reply.words.flatMap((word) => each({ content: word }, null)),
    ...each({}, finishOf(reply)),
    ...(hasUsage ? [chunk([], usage)] : []),
    'data: [DONE]\n\n',
  ];
}

/** `POST /v1/chat/completions`. */
export function answerChat(call: SandboxCall): SandboxAnswer {
  const parsed = parseBody(chatRequest, 'openai', call);
  if (!parsed.ok) return parsed.answer;
  const request = parsed.value;
  const refusal =
    needsModel('response_format', request.response_format, ['text']) ??
    needsModel('tool_choice', request.tool_choice, ['auto', 'none']);
  if (refusal !== undefined) return errorAnswer('openai', call, 400, refusal);
  const reply = replyTo(lastUserText(request.messages), request.max_completion_tokens ?? request.max_tokens);
  const count = request.n ?? 1;
  const usage = chatUsage(countPrompt(request.messages, request.tools), reply.tokens * count);
  if (request.stream === true)
    return streamAnswer('openai', call, request.model, chunks(request, call, reply, usage));
  return jsonAnswer('openai', call, {
    id: `chatcmpl-${call.nonce}`,
    object: 'chat.completion',
    created: call.created,
    model: request.model,
    choices: Array.from({ length: count }, (_, index) => ({
      index,
      message: { role: 'assistant', content: reply.text, refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: finishOf(reply),
    })),
    usage,
    service_tier: 'default',
    system_fingerprint: null,
  });
}
