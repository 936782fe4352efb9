// Owns a provider that misbehaves on purpose, and remembers which requests reached it.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** One request that has arrived whole. */
export type ProviderCall = {
  /** What stands after `marker:` in the prompt: names one request of the test. */
  readonly marker: string;
  readonly isStream: boolean;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
};

export type FaultProvider = {
  readonly url: string;
  /** How often each marker arrived. */
  readonly dispatched: Map<string, number>;
  /** Replaced by a test to change how it answers from the next request on. */
  answer: (call: ProviderCall) => void | Promise<void>;
  /** Requests whose answer has neither ended nor been cut. */
  readonly open: () => number;
  readonly close: () => Promise<void>;
};

const markerForm = /marker:([\w.-]+)/;

/** Starts the provider in this process. */
export async function startFaultProvider(answer: FaultProvider['answer']): Promise<FaultProvider> {
  const dispatched = new Map<string, number>();
  let open = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    response.on('error', () => {});
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('utf8');
      const marker = markerForm.exec(text)?.[1] ?? '';
      dispatched.set(marker, (dispatched.get(marker) ?? 0) + 1);
      await provider.answer({ marker, isStream: text.includes('"stream":true'), request, response });
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the provider has no port');
  const provider: FaultProvider = {
    url: `http://127.0.0.1:${address.port}`,
    dispatched,
    answer,
    open: () => open,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return provider;
}

/** One event of a streamed chat completion. */
export function chunkEvent(text: string, finish: string | null = null): string {
  const choice = { index: 0, delta: { content: text }, finish_reason: finish };
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'm', choices: [choice] })}\n\n`;
}

/** The end of a streamed chat completion, with usage. */
export const lastEvents = `${chunkEvent('', 'stop')}data: ${JSON.stringify({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [],
  usage: { prompt_tokens: 7, completion_tokens: 11, total_tokens: 18 },
})}\n\ndata: [DONE]\n\n`;

export const eventStream = { 'content-type': 'text/event-stream' } as const;

/** A whole chat completion. */
export function answerWhole({ response }: ProviderCall): void {
  const body = JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: 'done' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 7, completion_tokens: 11, total_tokens: 18 },
  });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** A streamed one of so many events with a pause before each; ends early when the reader has gone. */
export async function answerStream(call: ProviderCall, events: number, gapMs: number): Promise<void> {
  const { response } = call;
  response.writeHead(200, eventStream);
  for (let sent = 0; sent < events; sent += 1) {
    if (gapMs > 0) await sleep(gapMs);
    if (response.destroyed) return;
    response.write(chunkEvent(`word-${sent} `));
  }
  response.end(lastEvents);
}

/** Streams to those who ask for it, and answers the others whole. */
export function answerPlainly(events: number, gapMs: number): FaultProvider['answer'] {
  return async (call) => {
    if (call.isStream) return answerStream(call, events, gapMs);
    if (gapMs > 0) await sleep(gapMs);
    answerWhole(call);
  };
}
