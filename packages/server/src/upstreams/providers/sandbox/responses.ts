// Owns the sandbox's responses: https://platform.openai.com/docs/api-reference/responses

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
  tokenLimit,
  turn,
  typedEvent,
} from './answer.ts';
import { countPrompt, type Reply, replyTo } from './reply.ts';

const responseRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(turn).min(1)]),
  instructions: z.string().nullish(),
  max_output_tokens: tokenLimit,
  previous_response_id: z.string().nullish(),
  stream: z.boolean().nullish(),
  text: z.looseObject({ format: z.unknown().optional() }).nullish(),
  tools: z.unknown().optional(),
  tool_choice: z.unknown().optional(),
});
type ResponseRequest = z.infer<typeof responseRequest>;
type State = 'in_progress' | 'completed' | 'incomplete';

function textPart(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function messageItem(call: SandboxCall, state: State, text: string | undefined): JsonObject {
  const content = text === undefined ? [] : [textPart(text)];
  return { id: `msg_${call.nonce}`, type: 'message', status: state, role: 'assistant', content };
}

function inputTokens(request: ResponseRequest): number {
  return countPrompt(request.input, request.instructions, request.tools);
}

/** The response in a state; without a reply it has not begun. The sandbox keeps nothing, and says so in `store`. */
function responseObject(
  request: ResponseRequest,
  call: SandboxCall,
  state: State,
  reply: Reply | undefined,
): JsonObject {
  const input = inputTokens(request);
  return {
    id: `resp_${call.nonce}`,
    object: 'response',
    created_at: call.created,
    status: state,
    background: false,
    error: null,
    incomplete_details: state === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    model: request.model,
    output: reply === undefined ? [] : [messageItem(call, state, reply.text)],
    parallel_tool_calls: true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage:
      reply === undefined
        ? null
        : {
            input_tokens: input,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: reply.tokens,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: input + reply.tokens,
          },
    user: null,
    metadata: {},
  };
}

function events(request: ResponseRequest, call: SandboxCall, state: State, reply: Reply): readonly string[] {
  const begun = responseObject(request, call, 'in_progress', undefined);
  const item = { item_id: `msg_${call.nonce}`, output_index: 0, content_index: 0 };
  const list: readonly (JsonObject & { readonly type: string })[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: messageItem(call, 'in_progress', undefined),
    },
    { type: 'response.content_part.added', ...item, part: textPart('') },
    ...reply.words.map((delta) => ({ type: 'response.output_text.delta', ...item, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...item, text: reply.text, logprobs: [] },
    { type: 'response.content_part.done', ...item, part: textPart(reply.text) },
    { type: 'response.output_item.done', output_index: 0, item: messageItem(call, state, reply.text) },
    { type: `response.${state}`, response: responseObject(request, call, state, reply) },
  ];
  return list.map((event, number) => typedEvent({ ...event, sequence_number: number }));
}

/** `POST /v1/responses`. An earlier response's id is repeated, not followed: nothing is kept. */
export function answerResponse(call: SandboxCall): SandboxAnswer {
  const parsed = parseBody(responseRequest, 'openai', call);
  if (!parsed.ok) return parsed.answer;
  const request = parsed.value;
  const refusal =
    needsModel('text.format', request.text?.format, ['text']) ??
    needsModel('tool_choice', request.tool_choice, ['auto', 'none']);
  if (refusal !== undefined) return errorAnswer('openai', call, 400, refusal);
  const text = typeof request.input === 'string' ? request.input : lastUserText(request.input);
  const reply = replyTo(text, request.max_output_tokens);
  const state = reply.isCut ? 'incomplete' : 'completed';
  if (request.stream === true) {
    return streamAnswer('openai', call, request.model, events(request, call, state, reply));
  }
  return jsonAnswer('openai', call, {
    ...responseObject(request, call, state, reply),
  });
}

/** `POST /v1/responses/input_tokens`. */
export function answerInputTokens(call: SandboxCall): SandboxAnswer {
  const parsed = parseBody(responseRequest, 'openai', call);
  if (!parsed.ok) return parsed.answer;
  return jsonAnswer('openai', call, {
    object: 'response.input_tokens',
    input_tokens: inputTokens(parsed.value),
  });
}
