// Owns the mock model provider for machines without a C compiler; mock.c says what it does. usage: node mock.ts PORT

import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const chunks = 50;

function wholeAnswer(): Buffer {
  let text = '';
  while (text.length < 690) text += `The quick brown fox jumps over the lazy dog ${text.length}. `;
  const message = { role: 'assistant', content: text.slice(0, 690) };
  return Buffer.from(
    JSON.stringify({
      id: 'chatcmpl-mock0000000000000000000000',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'mock',
      choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 210, completion_tokens: 160, total_tokens: 370 },
      system_fingerprint: 'fp_mock',
    }),
  );
}

function event(choice: object, more: object): string {
  const data = { id: 'c-1', object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }], ...more };
  return `data: ${JSON.stringify(data)}\n\n`;
}

function streamEvents(): readonly string[] {
  const usage = { prompt_tokens: 210, completion_tokens: 50, total_tokens: 260 };
  const texts = Array.from({ length: chunks }, (_, i) =>
    event({ delta: { content: ` tok${String(i).padStart(4, '0')}` } }, {}),
  );
  return [...texts, `${event({ delta: {}, finish_reason: 'stop' }, { usage })}data: [DONE]\n\n`];
}

/** One number of the model's name: `mock-d50-s100` has d 50 and s 100; 0 where it is absent. */
function numberIn(body: string, kind: 'd' | 's'): number {
  const name = /"mock-([^"]*)"/.exec(body)?.[1] ?? '';
  return Number(new RegExp(`(?:^|-)${kind}(\\d+)`).exec(name)?.[1] ?? 0);
}

async function stream(response: ServerResponse, events: readonly string[], pauseMs: number): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-request-id': 'req_mock',
  });
  for (const [i, one] of events.entries()) {
    if (i > 0 && pauseMs > 0) await sleep(pauseMs);
    if (response.destroyed) return;
    response.write(one);
  }
  response.end();
}

function serve(port: number): void {
  const whole = wholeAnswer();
  const events = streamEvents();
  async function answer(body: string, response: ServerResponse): Promise<void> {
    const delayMs = numberIn(body, 'd');
    if (delayMs > 0) await sleep(delayMs);
    if (/"stream"\s*:\s*true/.test(body)) return stream(response, events, numberIn(body, 's'));
    response.writeHead(200, {
      'content-type': 'application/json',
      'x-request-id': 'req_mock',
      'content-length': whole.length,
    });
    response.end(whole);
  }
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      answer(Buffer.concat(parts).toString('latin1'), response).catch((error: unknown) => {
        console.error(error);
        response.destroy();
      });
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(port, '127.0.0.1');
}

const port = Number(process.argv[2]);
if (!Number.isInteger(port)) throw new Error('usage: node mock.ts PORT');
serve(port);
