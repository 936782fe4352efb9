// Owns the sandbox's legacy completions: https://platform.openai.com/docs/api-reference/completions

import type { JsonObject } from '@countersign/core/json';
import { z } from 'zod';
import {
  dataEvent,
  jsonAnswer,
  parseBody,
  type SandboxAnswer,
  type SandboxCall,
  streamAnswer,
  tokenLimit,
} from './answer.ts';
import { chatUsage } from './chat.ts';
import { countPrompt, type Reply, replyTo } from './reply.ts';

const tokens = z.array(z.number().int().nonnegative()).min(1);
const completionRequest = z.looseObject({
  model: z.string().min(1),
  prompt: z.union([z.string(), z.array(z.string()).min(1).max(128), tokens, z.array(tokens).min(1).max(128)]),
  n: z.number().int().min(1).max(128).nullish(),
  max_tokens: tokenLimit,
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});
type CompletionRequest = z.infer<typeof completionRequest>;

/** The prompts of a request. The sandbox has no vocabulary: prompts of token numbers are prompts without text. */
function textsOf(prompt: CompletionRequest['prompt']): readonly string[] {
  if (typeof prompt === 'string') return [prompt];
  if (typeof prompt[0] === 'number') return [''];
  return prompt.map((one) => (typeof one === 'string' ? one : ''));
}

function finishOf(reply: Reply): string {
  return reply.isCut ? 'length' : 'stop';
}

function chunks(
  request: CompletionRequest,
  call: SandboxCall,
  replies: readonly Reply[],
  usage: JsonObject,
): readonly string[] {
  const hasUsage = request.stream_options?.include_usage === true;
  const chunk = (choices: readonly JsonObject[], counts: JsonObject | null): string =>
    dataEvent({
      id: `cmpl-${call.nonce}`,
      object: 'text_completion',
      created: call.created,
      model: request.model,
      choices,
      ...(hasUsage ? { usage: counts } : {}),
    });
  const choice = (index: number, text: string, finish: string | null): string =>
    chunk([{ index, text, logprobs: null, finish_reason: finish }], null);
  return [
    ...replies.flatMap((reply, index) => [
      ...reply.words.map((word) => choice(index, word, null)),
      choice(index, '', finishOf(reply)),
    ]),
    ...(hasUsage ? [chunk([], usage)] : []),
    'data: [DONE]\n\n',
  ];
}

/** `POST /v1/completions`: each prompt has `n` choices, in the order of the prompts. */
export function answerCompletion(call: SandboxCall): SandboxAnswer {
  const parsed = parseBody(completionRequest, 'openai', call);
  if (!parsed.ok) return parsed.answer;
  const request = parsed.value;
  const replies = textsOf(request.prompt).flatMap((text) => {
    const reply = replyTo(text, request.max_tokens);
    return Array.from({ length: request.n ?? 1 }, () => reply);
  });
  const made = replies.reduce((total, reply) => total + reply.tokens, 0);
  const usage = chatUsage(countPrompt(request.prompt), made);
  if (request.stream === true)
    return streamAnswer('openai', call, request.model, chunks(request, call, replies, usage));
  return jsonAnswer('openai', call, {
    id: `cmpl-${call.nonce}`,
    object: 'text_completion',
    created: call.created,
    model: request.model,
    choices: replies.map((reply, index) => ({
      index,
      text: reply.text,
      logprobs: null,
      finish_reason: finishOf(reply),
    })),
    usage,
  });
}
