// Owns a client of the gateway that says exactly how far its answer came.

import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';

export type Reply = {
  /** 0: no answer came. */
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The HTTP message came to its end. */
  readonly isWhole: boolean;
  /** The terminal byte came: a stream's finish reason, or the last byte of any other answer. */
  readonly isAnswered: boolean;
  readonly ms: number;
};

export type Ask = {
  readonly url: string;
  readonly key: string;
  readonly marker: string;
  readonly isStream?: boolean;
  readonly model?: string;
  readonly dialect?: 'openai' | 'anthropic';
  readonly agent?: Agent;
  readonly maxTokens?: number;
  /** Sees the response as it begins: to pause it or to cut it. */
  readonly onResponse?: (response: IncomingMessage, request: ClientRequest) => void;
  readonly onRequest?: (request: ClientRequest) => void;
};

/** An agent that keeps its connections. */
export function keepAlive(maxSockets = 4_096): Agent {
  return new Agent({ keepAlive: true, maxSockets });
}

/** The body of a call, with its marker in the prompt. */
export function promptOf(ask: Ask): string {
  return JSON.stringify({
    model: ask.model ?? 'fault',
    max_tokens: ask.maxTokens ?? 4_000,
    messages: [{ role: 'user', content: `tell me about marker:${ask.marker} please` }],
    stream: ask.isStream === true,
  });
}

function begin(ask: Ask): ClientRequest {
  const path = ask.dialect === 'anthropic' ? '/v1/messages' : '/v1/chat/completions';
  const body = promptOf(ask);
  const sent = request(`${ask.url}${path}`, {
    method: 'POST',
    ...(ask.agent === undefined ? {} : { agent: ask.agent }),
    headers: {
      authorization: `Bearer ${ask.key}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'x-countersign-tags': `marker-${ask.marker}`,
    },
  });
  sent.end(body);
  return sent;
}

/** Sends a call and resolves at its end, whichever it is; never rejects. */
export function ask(asked: Ask): Promise<Reply> {
  const started = performance.now();
  return new Promise((resolve) => {
    const sent = begin(asked);
    asked.onRequest?.(sent);
    const none = { status: 0, headers: {}, text: '', isWhole: false, isAnswered: false };
    const fail = (): void => resolve({ ...none, ms: performance.now() - started });
    sent.once('error', fail);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => {});
      sent.on('error', () => {});
      response.once('close', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const status = response.statusCode ?? 0;
        const isEnd = asked.isStream === true ? text.includes('"finish_reason":"stop"') : response.complete;
        resolve({
          status,
          headers: response.headers,
          text,
          isWhole: response.complete,
          isAnswered: status === 200 && isEnd,
          ms: performance.now() - started,
        });
      });
      asked.onResponse?.(response, sent);
    });
  });
}

/** The value below which a share of the values lies; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
