// Owns what a provider answers in tests, in each dialect, streamed and whole, from one statement of the answer.

import type { ServerResponse } from 'node:http';

/** One request as it arrived: headers flat, the body byte for byte. */
export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
  /** The body as JSON; fails the test if it is none. */
  readonly json: () => unknown;
};

export type Script = (asked: Asked, response: ServerResponse) => void | Promise<void>;

export type Said = {
  readonly text: string;
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly reasoning: number;
  readonly id: string;
  readonly model: string;
};

export const plainly: Said = {
  text: 'Hello, auditor.',
  input: 12,
  output: 7,
  cached: 0,
  reasoning: 0,
  id: 'resp_1',
  model: 'upstream-model',
};

function chatUsage({ input, output, cached, reasoning }: Said) {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

/** A whole chat completion. */
export function chatJson(said: Said = plainly): string {
  return JSON.stringify({
    id: said.id,
    object: 'chat.completion',
    created: 1,
    model: said.model,
    choices: [{ index: 0, message: { role: 'assistant', content: said.text }, finish_reason: 'stop' }],
    usage: chatUsage(said),
  });
}

const event = (value: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;

/** A chat completion as events, one for each word; the usage comes as a client that asks for it gets it. */
export function chatEvents(said: Said = plainly, withUsage = true): readonly string[] {
  const chunk = (choices: readonly unknown[], more: object = {}) =>
    event({ id: said.id, object: 'chat.completion.chunk', created: 1, model: said.model, choices, ...more });
  const words = said.text.split(/(?<= )/);
  return [
    ...words.map((content) => chunk([{ index: 0, delta: { content }, finish_reason: null }])),
    chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
    ...(withUsage ? [chunk([], { usage: chatUsage(said) })] : []),
    event('[DONE]'),
  ];
}

function messageUsage({ input, output, cached }: Said) {
  return { input_tokens: input - cached, output_tokens: output, cache_read_input_tokens: cached };
}

/** A whole Anthropic message. */
export function messageJson(said: Said = plainly): string {
  return JSON.stringify({
    id: said.id,
    type: 'message',
    role: 'assistant',
    model: said.model,
    content: [{ type: 'text', text: said.text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: messageUsage(said),
  });
}

/** An Anthropic message as events. */
export function messageEvents(said: Said = plainly): readonly string[] {
  const usage = { ...messageUsage(said), output_tokens: 1 };
  const message = { id: said.id, type: 'message', role: 'assistant', model: said.model, content: [], usage };
  return [
    event({ type: 'message_start', message }, 'message_start'),
    event(
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      'content_block_start',
    ),
    ...said.text
      .split(/(?<= )/)
      .map((text) =>
        event(
          { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } },
          'content_block_delta',
        ),
      ),
    event({ type: 'content_block_stop', index: 0 }, 'content_block_stop'),
    event(
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: { output_tokens: said.output },
      },
      'message_delta',
    ),
    event({ type: 'message_stop' }, 'message_stop'),
  ];
}

function responseObject(said: Said, status: string) {
  const content = [{ type: 'output_text', text: said.text, annotations: [] }];
  return {
    id: said.id,
    object: 'response',
    created_at: 1,
    status,
    model: said.model,
    output: [{ type: 'message', id: `msg_${said.id}`, status, role: 'assistant', content }],
    usage: {
      input_tokens: said.input,
      input_tokens_details: { cached_tokens: said.cached },
      output_tokens: said.output,
      output_tokens_details: { reasoning_tokens: said.reasoning },
      total_tokens: said.input + said.output,
    },
  };
}

/** A whole response of the Responses API. */
export function responseJson(said: Said = plainly): string {
  return JSON.stringify(responseObject(said, 'completed'));
}

/** A response as events, one for each word; the done events say the whole text again. */
export function responseEvents(said: Said = plainly): readonly string[] {
  const created = { ...responseObject({ ...said, text: '' }, 'in_progress'), usage: null };
  const named = (type: string, more: object) => event({ type, ...more }, type);
  const completed = responseObject(said, 'completed');
  const [item] = completed.output;
  const place = { item_id: item?.id, output_index: 0, content_index: 0 };
  return [
    named('response.created', { response: created }),
    ...said.text.split(/(?<= )/).map((delta) => named('response.output_text.delta', { ...place, delta })),
    named('response.output_text.done', { ...place, text: said.text }),
    named('response.content_part.done', { ...place, part: item?.content[0] }),
    named('response.output_item.done', { output_index: 0, item }),
    named('response.completed', { response: completed }),
  ];
}

export function sendJson(response: ServerResponse, text: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(text);
}

export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
}

/** Sends events, each in a write of its own; `between` waits after each. */
export async function sendEvents(
  response: ServerResponse,
  events: readonly string[],
  between?: () => Promise<unknown>,
): Promise<void> {
  beginStream(response);
  for (const one of events) {
    response.write(one);
    await between?.();
  }
  response.end();
}

/** True when the request asks for events. */
export function wantsStream(asked: Asked): boolean {
  return /"stream"\s*:\s*true/.test(asked.body.toString('utf8'));
}

/** Answers every endpoint in its own dialect, streamed where that is asked for. */
export function answerAs(said: Said = plainly): Script {
  return async (asked, response) => {
    const isStream = wantsStream(asked);
    if (asked.path.includes('/messages')) {
      return isStream ? sendEvents(response, messageEvents(said)) : sendJson(response, messageJson(said));
    }
    if (asked.path.includes('/responses')) {
      return isStream ? sendEvents(response, responseEvents(said)) : sendJson(response, responseJson(said));
    }
    return isStream ? sendEvents(response, chatEvents(said)) : sendJson(response, chatJson(said));
  };
}
