// Owns what tests of plain connections share: a server that answers both ways alike, and raw clients of it.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createPlainConnections, type PlainOptions } from './plain-connections.ts';
import type { PlainExchange } from './plain-exchange.ts';

/** An answer under way, whichever way its request came. */
type Answering = {
  readonly way: 'plain' | 'node';
  readonly target: string;
  readonly head: (status: number, headers: readonly string[]) => void;
  readonly write: (bytes: Uint8Array) => boolean;
  readonly onDrain: (listener: () => void) => void;
  readonly end: (bytes?: Uint8Array) => void;
};

const idleMs = 1_000;

function plainly(exchange: PlainExchange): Answering {
  return {
    way: 'plain',
    target: exchange.target,
    head: (status, headers) => exchange.head(status, headers),
    write: (bytes) => exchange.write(bytes),
    onDrain: (listener) => exchange.onDrain(listener, idleMs),
    end: (bytes) => exchange.end(bytes, idleMs),
  };
}

function byNode(request: IncomingMessage, response: ServerResponse): Answering {
  return {
    way: 'node',
    target: request.url ?? '',
    head(status, headers) {
      if (!request.complete) response.shouldKeepAlive = false;
      response.writeHead(status, [...headers]);
    },
    write: (bytes) => response.write(bytes),
    onDrain: (listener) => void response.once('drain', listener),
    end: (bytes) => void response.end(bytes),
  };
}

/** Many small pieces, or few large ones: `/stream/1000/10`. Waits when told to. */
function stream(to: Answering, count: number, size: number): void {
  let left = count;
  const next = (): void => {
    while (left > 0) {
      left -= 1;
      if (!to.write(Buffer.alloc(size, 48 + (left % 10)))) {
        to.onDrain(next);
        return;
      }
    }
    to.end();
  };
  next();
}

/** `/large/N`, `/stream/N/SIZE`, `/status/N`, `/wait`, and anything else: what was asked. */
function answer(to: Answering, body: Uint8Array, waiting: (() => void)[]): void {
  const [, kind, first = '0', second = '0'] = to.target.split('/');
  const way = ['x-way', to.way];
  const whole = (text: Uint8Array): void => {
    to.head(200, [...way, 'content-length', String(text.length)]);
    to.end(text);
  };
  if (kind === 'status') {
    to.head(Number(first), way);
    to.end();
  } else if (kind === 'stream') {
    to.head(200, way);
    stream(to, Number(first), Number(second));
  } else if (kind === 'large') whole(Buffer.alloc(Number(first), 'x'));
  else if (kind === 'wait') waiting.push(() => whole(Buffer.from('waited')));
  else whole(Buffer.from(`${to.target} ${Buffer.from(body).toString('latin1')}`, 'latin1'));
}

export type PlainServer = {
  readonly port: number;
  /** Exchanges that have begun and not ended. */
  readonly running: () => number;
  readonly served: () => readonly string[];
  readonly gone: () => number;
  /** Ends the oldest answer that waits. */
  readonly release: () => void;
  readonly waits: () => number;
  readonly drain: () => void;
  readonly closeIdle: () => void;
  readonly close: () => Promise<void>;
};

type Noted = {
  readonly waiting: (() => void)[];
  readonly served: string[];
  running: number;
  gone: number;
  mayGoOn: boolean;
};

function servePlainly(exchange: PlainExchange, noted: Noted): boolean {
  const { target } = exchange;
  if (target === '/not-plain') return false;
  const to = plainly(exchange);
  noted.served.push(`plain ${target}`);
  exchange.onGone(() => {
    noted.gone += 1;
  });
  const onWhole = (all: Uint8Array): void => void setImmediate(() => answer(to, all, noted.waiting));
  const body = exchange.body();
  if (target === '/refuse') {
    to.head(401, ['content-length', '2']);
    to.end(Buffer.from('no'));
  } else if (target === '/unread') return true;
  else if (body !== undefined) onWhole(body);
  else exchange.readBody({ onPart() {}, onWhole, onTorn() {} });
  return true;
}

function serveByNode(request: IncomingMessage, response: ServerResponse, { served, waiting }: Noted): void {
  const to = byNode(request, response);
  served.push(`node ${to.target}`);
  const parts: Buffer[] = [];
  request.on('error', () => undefined);
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => answer(to, Buffer.concat(parts), waiting));
}

function optionsOf(noted: Noted): Omit<PlainOptions, 'handOver'> {
  return {
    serve: (exchange) => servePlainly(exchange, noted),
    headLimit: 32_768,
    bodyLimit: 1_048_576,
    headMs: 60_000,
    wholeMs: 60_000,
    idleMs: 60_000,
    mayGoOn: () => noted.mayGoOn,
    onBegin: () => {
      noted.running += 1;
    },
    onEnd: () => {
      noted.running -= 1;
    },
    now: Date.now,
  };
}

const badRequest = 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
const limits = { headersTimeout: 1_000, connectionsCheckingInterval: 100, keepAliveTimeout: 65_000 };

/** A server whose paths answer alike both ways; `/refuse` does it before the body, `/not-plain` is left to Node. */
export async function startPlainServer(
  options: Partial<PlainOptions> = {},
  tls?: ServerOptions,
): Promise<PlainServer> {
  const noted: Noted = { waiting: [], served: [], running: 0, gone: 0, mayGoOn: true };
  const handle = (request: IncomingMessage, response: ServerResponse): void =>
    serveByNode(request, response, noted);
  const server =
    tls === undefined ? createServer(limits, handle) : createTlsServer({ ...limits, ...tls }, handle);
  const event = tls === undefined ? 'connection' : 'secureConnection';
  server.on('clientError', (_error, socket) => socket.end(badRequest));
  const [parse] = server.listeners(event);
  if (parse === undefined) throw new Error('Node listens no more');
  server.removeAllListeners(event);
  const handOver = (socket: Socket): void => void Reflect.apply(parse, server, [socket]);
  const connections = createPlainConnections({ ...optionsOf(noted), handOver, ...options });
  server.on(event, connections.accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    running: () => noted.running,
    served: () => noted.served,
    gone: () => noted.gone,
    release: () => noted.waiting.shift()?.(),
    waits: () => noted.waiting.length,
    drain: () => {
      noted.mayGoOn = false;
    },
    closeIdle: connections.closeIdle,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        connections.closeAll();
      }),
  };
}

export type RawResponse = { readonly status: number; readonly head: string; readonly body: string };

/** The whole answers at the beginning of `bytes`. Throws for what is no answer. */
export function answersIn(bytes: Buffer): readonly RawResponse[] {
  const text = bytes.toString('latin1');
  const answers: RawResponse[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) break;
    const head = text.slice(at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) throw new Error(`no answer: ${head}`);
    at = end + 4;
    let body = '';
    if (/^transfer-encoding: chunked$/im.test(head)) {
      for (;;) {
        const line = text.indexOf('\r\n', at);
        const size = Number.parseInt(text.slice(at, line), 16);
        if (line < 0 || line + size + 4 > text.length) return answers;
        body += text.slice(line + 2, line + 2 + size);
        at = line + size + 4;
        if (size === 0) break;
      }
    } else {
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (at + length > text.length) return answers;
      body = text.slice(at, at + length);
      at += length;
    }
    answers.push({ status, head, body });
  }
  return answers;
}

export type RawClient = {
  readonly socket: Socket;
  readonly send: (text: string) => void;
  readonly answers: () => readonly RawResponse[];
  readonly bytes: () => Buffer;
  /** The first `count` answers, once they have come; fails after a while. */
  readonly first: (count: number) => Promise<readonly RawResponse[]>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
};

/** Waits until something is so; throws after `ms`. */
export async function becomes(isSo: () => boolean, what: string, ms = 5_000): Promise<void> {
  const end = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`it did not come: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export async function rawClient(
  port: number,
  options: { ca?: string; isDeaf?: boolean } = {},
): Promise<RawClient> {
  const parts: Buffer[] = [];
  const { ca, isDeaf = false } = options;
  const to = { port, host: '127.0.0.1', allowHalfOpen: true };
  const socket = ca === undefined ? connect(to) : connectTls({ ...to, ca });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.on('end', () => void socket.end());
  if (!isDeaf) socket.on('data', (part: Buffer) => parts.push(part));
  await new Promise((resolve, reject) => {
    socket.once(ca === undefined ? 'connect' : 'secureConnect', resolve);
    socket.once('error', reject);
  });
  const bytes = (): Buffer => Buffer.concat(parts);
  const answers = (): readonly RawResponse[] => answersIn(bytes());
  return {
    socket,
    send: (text) => void socket.write(text, 'latin1'),
    answers,
    bytes,
    async first(count) {
      await becomes(
        () => answers().length >= count,
        `${count} answers, of ${bytes().toString('latin1').slice(0, 2_000)}`,
      );
      return answers().slice(0, count);
    },
    closed,
  };
}

/** A plain request. */
export function plain(path: string, body = '', more = ''): string {
  return `POST ${path} HTTP/1.1\r\nHost: h\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
}
