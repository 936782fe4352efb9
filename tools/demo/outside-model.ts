// Owns the demo's external model: a program on loopback that speaks OpenAI's dialect, says so, and counts what reaches it.

import { createServer, type ServerResponse } from 'node:http';
import { at, parsed } from './json.ts';

export type OutsideModel = {
  readonly origin: string;
  /** Bodies of the requests that arrived, in order. */
  readonly received: readonly string[];
  readonly close: () => void;
};

const answer = 'I am the demo\u2019s external model: a program on this machine, not a language model.';
/** How long it takes before it answers, in milliseconds: calls that come together are under way together. */
const thinkingMs = 150;
const wordEveryMs = 50;

function answerWhole(response: ServerResponse): void {
  const body = {
    id: 'chatcmpl-demo',
    object: 'chat.completion',
    created: 1,
    model: 'outside-1',
    choices: [{ index: 0, message: { role: 'assistant', content: answer }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 40, total_tokens: 52 },
  };
  setTimeout(() => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  }, thinkingMs);
}

/** A stream that goes on until somebody ends it. */
function answerEndlessly(response: ServerResponse): void {
  response.setHeader('content-type', 'text/event-stream');
  const chunk = {
    id: 'chatcmpl-demo',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'outside-1',
    choices: [{ index: 0, delta: { content: 'on and ' }, finish_reason: null }],
  };
  const timer = setInterval(() => response.write(`data: ${JSON.stringify(chunk)}\n\n`), wordEveryMs);
  response.on('close', () => clearInterval(timer));
}

/** Starts it on a free port of 127.0.0.1. */
export async function startOutsideModel(): Promise<OutsideModel> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      received.push(body);
      if (at(parsed(body), 'stream') === true) answerEndlessly(response);
      else answerWhole(response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the external model has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    received,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
