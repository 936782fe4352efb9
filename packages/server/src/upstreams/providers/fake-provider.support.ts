// Owns what the tests of upstreams share: a local provider, a pool of real connections, and a recorder of answers.

import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { type ClientPool, openClientPool } from '../../platform/egress/client-pool.ts';
import { createEgress } from '../../platform/egress/egress.ts';
import type { Upstream, UpstreamCall, UpstreamError, UpstreamHandler, UpstreamRequest } from '../upstream.ts';
import { createHttpUpstream } from './http.ts';

export type Listening = { readonly origin: string; readonly close: () => Promise<void> };

function portOf(server: Server | TcpServer): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the test server has no port');
  return address.port;
}

/** A provider written with Node's HTTP server. */
export async function listenHttp(listener: RequestListener): Promise<Listening> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${portOf(server)}`, close };
}

/** A provider that writes its bytes by hand; `onRequest` is called with the first bytes of each connection. */
export async function listenTcp(onRequest: (socket: Socket, head: string) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => onRequest(socket, chunk.toString('latin1')));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { origin: `http://127.0.0.1:${portOf(server)}`, close };
}

export type TestPool = ClientPool & {
  readonly counts: { made: number; released: number; destroyed: number };
  readonly close: () => Promise<void>;
};

/** The product's pool, which counts connections, exchanges that ended, and those that ended with their connection. */
export function createTestPool(): TestPool {
  const egress = createEgress({ allow: ['127.0.0.1'] });
  const counts = { made: 0, released: 0, destroyed: 0 };
  const pool = openClientPool({
    egress: {
      connector: (timeoutMs) => {
        counts.made += 1;
        return egress.connector(timeoutMs);
      },
    },
  });
  return {
    counts,
    acquire(origin, connectTimeoutMs, user) {
      const connection = pool.acquire(origin, connectTimeoutMs, user);
      let isOut = true;
      const count = (destroyed: number): void => {
        if (!isOut) return;
        isOut = false;
        counts.released += 1;
        counts.destroyed += destroyed;
      };
      return {
        write: (method, head, body) => connection.write(method, head, body),
        pause: () => connection.pause(),
        resume: () => connection.resume(),
        release() {
          connection.release();
          count(0);
        },
        destroy() {
          connection.destroy();
          count(1);
        },
      };
    },
    close: () => pool.close(),
  };
}

export type Answer = {
  readonly status: number | undefined;
  readonly headers: readonly string[];
  readonly body: string;
  readonly chunks: number;
  readonly error: UpstreamError | undefined;
  /** How often `onEnd` or `onError` was called. */
  readonly endings: () => number;
};

export type Watch = {
  readonly onChunk?: (call: UpstreamCall, chunk: Uint8Array, count: number) => void;
  readonly onCall?: (call: UpstreamCall) => void;
};

/** Sends a request and gathers the answer; resolves at its ending, whichever it is. */
export function exchange(upstream: Upstream, request: UpstreamRequest, watch: Watch = {}): Promise<Answer> {
  return new Promise((resolve) => {
    let status: number | undefined;
    let headers: readonly string[] = [];
    const chunks: Uint8Array[] = [];
    let endings = 0;
    const finish = (error: UpstreamError | undefined): void => {
      endings += 1;
      const body = Buffer.concat(chunks).toString('utf8');
      resolve({ status, headers, body, chunks: chunks.length, error, endings: () => endings });
    };
    const handler: UpstreamHandler = {
      onHeaders(gotStatus, gotHeaders) {
        status = gotStatus;
        headers = gotHeaders;
      },
      onData(chunk) {
        chunks.push(chunk);
        watch.onChunk?.(call, chunk, chunks.length);
      },
      onEnd: () => finish(undefined),
      onError: finish,
    };
    const call = upstream.send(request, handler);
    watch.onCall?.(call);
  });
}

/** A POST of a JSON text to a path. */
export function post(path: string, body: string): UpstreamRequest {
  const bytes = new TextEncoder().encode(body);
  const headers = ['content-type', 'application/json', 'content-length', String(bytes.length)];
  return { method: 'POST', path, headers, body: bytes };
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** Short enough to be waited for. */
export const shortTimeouts = { connectMs: 400, firstByteMs: 300, idleMs: 300 };

export type Rig = { readonly upstream: Upstream; readonly pool: TestPool };

/** An HTTP upstream with its provider written by hand, for the time of `run`. */
export async function withTcp(
  onRequest: (socket: Socket, head: string) => void,
  run: (rig: Rig) => Promise<void>,
): Promise<void> {
  const server = await listenTcp(onRequest);
  const pool = createTestPool();
  try {
    await run({
      upstream: createHttpUpstream({ baseUrl: server.origin, timeouts: shortTimeouts, pool }),
      pool,
    });
  } finally {
    await pool.close();
    await server.close();
  }
}

/** The head of an answer whose body follows in chunks. */
export const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
