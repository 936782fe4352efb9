// Owns a provider for tests: a local HTTP server that answers as it is told, counts requests and keeps their bytes.

import { createServer, type IncomingMessage } from 'node:http';
import { type Asked, answerAs, type Script } from './provider-answers.ts';

export type FakeProvider = {
  readonly origin: string;
  /** Requests whose body has arrived, in order. */
  readonly asked: readonly Asked[];
  /** Requests of which at least the head has arrived. */
  readonly dispatched: () => number;
  /** What every request is answered from now on; without an argument: what its dialect expects. */
  readonly answer: (script?: Script) => void;
  /** Called once for each request, in the turn in which its head or first byte arrives, before anything is answered. */
  readonly onArrival: (listener: (() => void) | undefined) => void;
  /** Answers whose connection was closed by the other side before they ended. */
  readonly aborted: () => number;
  readonly newest: () => Asked;
  /** Breaks every connection that is open now. */
  readonly dropAll: () => void;
  readonly close: () => Promise<void>;
};

function toAsked(request: IncomingMessage, body: Buffer): Asked {
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    rawHeaders: request.rawHeaders,
    header: (name) => request.headersDistinct[name]?.join(', '),
    body,
    json: (): unknown => JSON.parse(body.toString('utf8')),
  };
}

/** Starts a provider on a free port of 127.0.0.1. */
export async function startFakeProvider(): Promise<FakeProvider> {
  const asked: Asked[] = [];
  let script: Script = answerAs();
  let onArrival: (() => void) | undefined;
  let dispatched = 0;
  let aborted = 0;
  const server = createServer((request, response) => {
    dispatched += 1;
    onArrival?.();
    response.on('close', () => {
      if (!response.writableFinished) aborted += 1;
    });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = toAsked(request, Buffer.concat(chunks));
      asked.push(one);
      Promise.resolve(script(one, response)).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the provider has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    asked,
    dispatched: () => dispatched,
    answer: (next) => {
      script = next ?? answerAs();
    },
    onArrival: (listener) => {
      onArrival = listener;
    },
    aborted: () => aborted,
    newest: () => {
      const last = asked.at(-1);
      if (last === undefined) throw new TypeError('nothing has been asked of the provider');
      return last;
    },
    dropAll: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
