// Owns the listening server: limits on heads and connections, and which face a path belongs to.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { renderError } from '@countersign/core/dialects/errors';
import { spokenDialect } from '@countersign/core/dialects/spoken-dialect';
import { AppError } from '@countersign/core/errors';
import type { RequestId } from '@countersign/core/ids';
import { formatListen } from '../platform/config/fields.ts';
import type { Config } from '../platform/config/schema.ts';
import { highWaterMark } from '../platform/sockets/high-water-mark.ts';
import { type Face, joinFaces, rawPath } from './face.ts';
import { takePlain } from './take-plain.ts';
import type { Tls } from './tls.ts';

// INVARIANT: not by `import`. The wrapper that Node makes for one reads every export, one of which loads Node's own
// fetch: 2 MB that nothing here needs.
const { createServer } = process.getBuiltinModule('node:http');
const { createServer: createTlsServer } = process.getBuiltinModule('node:https');

export type HttpServer = {
  readonly server: Server;
  readonly listen: () => Promise<string>;
  /**
   * Ends when no request runs any more. Until then it goes on listening, so that health checks learn that it is
   * not ready and nobody is turned away; each answer ends its connection.
   */
  readonly drain: () => Promise<void>;
  /** Takes no connection any more, and closes each as soon as its answer is out, all of them when told to give up. */
  readonly close: (signal: AbortSignal) => Promise<void>;
};

/** What a request may take to arrive whole: a body that drips is cut, one of the largest size needs about 1 Mbit/s. */
const wholeRequestMs = 300_000;

/** How long a connection may be without a request. */
const keepAliveMs = 65_000;

/** Sockets that may wait for or hold a connection at the same time. */
const maxConnections = 20_000;

function refuseUpgrade(socket: Duplex, requestId: RequestId): void {
  // Codex tries a WebSocket first: an answer at once lets it fall back without a wait.
  const { body } = renderError(
    'openai',
    'upgrade_refused',
    'this server speaks HTTP only: send the request with POST',
    requestId,
  );
  socket.end(
    `HTTP/1.1 426 Upgrade Required\r\nupgrade: HTTP/1.1\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `x-request-id: ${requestId}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Only a WebSocket has to be told: any other offer may be passed over (RFC 9110 section 7.8), and is, by its request. */
function offersWebSocket(request: IncomingMessage): boolean {
  const offered = (request.headers.upgrade ?? '').toLowerCase().split(',');
  return offered.some((protocol) => protocol.trim().split('/', 1)[0] === 'websocket');
}

function badHead(error: Error, socket: Duplex): void {
  const code = 'code' in error ? String(error.code) : '';
  const isLarge = code === 'HPE_HEADER_OVERFLOW';
  const isSlow = code === 'ERR_HTTP_REQUEST_TIMEOUT';
  // To whom does not speak HTTP, or has not shaken hands over TLS, an answer could not be sent: it would wait for ever.
  if (!socket.writable || !(isSlow || code.startsWith('HPE_'))) {
    socket.destroy();
    return;
  }
  const status = isLarge
    ? '431 Request Header Fields Too Large'
    : isSlow
      ? '408 Request Timeout'
      : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

const nothingHere = {
  all: 'calls go to `/v1/…`, administration to `/api/v1/…`',
  models: 'calls go to `/v1/…`, administration has an address of its own, COUNTERSIGN_MANAGEMENT_LISTEN',
  management: 'administration goes to `/api/v1/…`, calls have an address of their own, COUNTERSIGN_LISTEN',
} as const;

function notFound(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: RequestId,
  serves: Listen['serves'],
): void {
  const hasVersion = request.headers['anthropic-version'] !== undefined;
  const { status, headers, body } = renderError(
    spokenDialect(rawPath(request), hasVersion),
    'not_found',
    `there is nothing at this path: ${nothingHere[serves]}`,
    requestId,
  );
  response.writeHead(status, headers);
  response.end(body);
}

type Running = {
  readonly begin: () => void;
  readonly end: () => void;
  /** True once each answer is to end its connection. */
  readonly isEnding: () => boolean;
  /** From now on each answer ends its connection; resolves when none runs. */
  readonly drained: () => Promise<void>;
};

function createRunning(): Running {
  let count = 0;
  let onIdle: (() => void) | undefined;
  return {
    begin() {
      count += 1;
    },
    end() {
      count -= 1;
      if (count === 0) onIdle?.();
    },
    isEnding: () => onIdle !== undefined,
    drained: () =>
      new Promise((resolve) => {
        onIdle = resolve;
        if (count === 0) resolve();
      }),
  };
}

/** An address to listen on, the variable that sets it, and what of the server is there. */
export type Listen = Config['listen'] & {
  readonly variable: string;
  readonly serves: 'all' | 'models' | 'management';
};

/** Listens; resolves to `host:port` as it came to be, such as may stand in a URL. */
function listenOn(server: Server, { host, port, variable }: Listen): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE';
      const why = isTaken ? 'another process listens there' : error.message;
      reject(
        new AppError(
          'storage_unavailable',
          `cannot listen on ${formatListen({ host, port })}: ${why}; set ${variable}`,
        ),
      );
    });
    server.listen({ host, port, backlog: 4_096 }, () => {
      const address = server.address();
      const isNet = typeof address === 'object' && address !== null;
      resolve(isNet ? formatListen({ host, port: address.port }) : '');
    });
  });
}

/** What Node's server holds connections and heads to. */
function optionsOf(config: Config) {
  return {
    maxHeaderSize: config.headerLimitBytes,
    headersTimeout: config.headerTimeoutMs,
    connectionsCheckingInterval: 1_000,
    requestTimeout: Math.max(config.headerTimeoutMs, wholeRequestMs),
    keepAliveTimeout: keepAliveMs,
    noDelay: true,
    highWaterMark,
    insecureHTTPParser: false,
    requireHostHeader: true,
    shouldUpgradeCallback: offersWebSocket,
  };
}

/** A server over faces, asked in order. Throws if one would let in anybody where it may not. */
export function createHttpServer(
  config: Config,
  tls: Tls | undefined,
  listen: Listen,
  faces: readonly Face[],
  newRequestId: () => RequestId,
): HttpServer {
  const options = optionsOf(config);
  const running = createRunning();
  const serve = joinFaces(faces);
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    running.begin();
    response.once('close', running.end);
    if (running.isEnding()) response.shouldKeepAlive = false;
    // INVARIANT: nothing is read after an offer that was passed over: it could be in the other protocol.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    if (!serve(request, response)) notFound(request, response, newRequestId(), listen.serves);
  };
  const server =
    tls === undefined
      ? createServer(options, handle)
      : createTlsServer({ ...options, ...tls, handshakeTimeout: config.headerTimeoutMs }, handle);
  server.maxConnections = maxConnections;
  server.on('upgrade', (_request, socket: Duplex) => refuseUpgrade(socket, newRequestId()));
  server.on('connect', (_request, socket: Duplex) => refuseUpgrade(socket, newRequestId()));
  server.on('clientError', badHead);
  const plain = takePlain(server, tls === undefined ? 'connection' : 'secureConnection', faces, {
    headLimit: config.headerLimitBytes,
    bodyLimit: config.bodyLimitBytes,
    headMs: config.headerTimeoutMs,
    wholeMs: options.requestTimeout,
    idleMs: keepAliveMs,
    mayGoOn: () => !running.isEnding(),
    onBegin: running.begin,
    onEnd: running.end,
    now: Date.now,
  });
  const closeAll = (): void => {
    server.closeAllConnections();
    plain.closeAll();
  };
  return {
    server,
    listen: () => listenOn(server, listen),
    drain: running.drained,
    close: async (signal) => {
      signal.addEventListener('abort', closeAll);
      server.close();
      plain.closeIdle();
      await running.drained();
      closeAll();
    },
  };
}
