// Owns receivers of pushed checkpoints for tests: a webhook, and syslog by UDP, TCP and TLS, each on a free port of 127.0.0.1.

import { createSocket } from 'node:dgram';
import { createServer as createHttp, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createTcp, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { readFrames, readSyslog } from '@countersign/core/syslog-reader.support';

export type Received = {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: string;
};

export type WebhookReceiver = {
  readonly url: string;
  readonly received: readonly Received[];
  /** How it answers from now on, after it has read; 200 at first. */
  readonly answer: (how: (response: ServerResponse) => void) => void;
  readonly close: () => Promise<void>;
};

export type SyslogReceiver = {
  readonly url: string;
  /** The messages without framing, in their order; each was held to the grammar. */
  readonly messages: readonly string[];
  readonly close: () => Promise<void>;
};

function portOf(server: { address(): unknown }): number {
  const address = server.address();
  if (typeof address === 'object' && address !== null && 'port' in address) return Number(address.port);
  throw new TypeError('the receiver has no port');
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}

function closing(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

/** A webhook that takes everything until it is told otherwise. */
export async function receiveWebhook(): Promise<WebhookReceiver> {
  const received: Received[] = [];
  let answer = (response: ServerResponse): void => void response.end();
  const server = createHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      received.push({ headers: request.headers, path: request.url ?? '', body });
      answer(response);
    });
  });
  await listening(server);
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    received,
    answer(how) {
      answer = how;
    },
    close() {
      server.closeAllConnections();
      return closing(server);
    },
  };
}

/** A message as text. Throws what breaks a rule of RFC 5424, which fails the test that is running. */
function held(bytes: Uint8Array): string {
  readSyslog(bytes);
  return Buffer.from(bytes).toString('utf8');
}

/** Syslog by UDP: one message a datagram. */
export async function receiveDatagrams(): Promise<SyslogReceiver> {
  const messages: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (bytes) => void messages.push(held(bytes)));
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve);
  });
  return {
    url: `udp://127.0.0.1:${portOf(socket)}`,
    messages,
    close: () =>
      new Promise((resolve) => {
        socket.close(() => resolve());
      }),
  };
}

export type StreamOptions = {
  /** With a certificate: TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** What it does with each connection; reads to the end unless given. */
  readonly onConnection?: (socket: Socket) => void;
};

/** Syslog over TCP or TLS. */
export async function receiveStreams({ tls, onConnection }: StreamOptions = {}): Promise<SyslogReceiver> {
  const messages: string[] = [];
  const sockets = new Set<Socket>();
  const read = (socket: Socket): void => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on('end', () => messages.push(...readFrames(Buffer.concat(chunks)).map(held)));
  };
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    (onConnection ?? read)(socket);
  };
  const server = tls === undefined ? createTcp(take) : createTls(tls, take);
  await listening(server);
  return {
    url: `${tls === undefined ? 'tcp' : 'tls'}://127.0.0.1:${portOf(server)}`,
    messages,
    close() {
      for (const socket of sockets) socket.destroy();
      return closing(server);
    },
  };
}
