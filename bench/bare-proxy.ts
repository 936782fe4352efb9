// Owns the fair comparison: what a Node proxy costs that only passes on. usage: node bench/bare-proxy.ts PORT UPSTREAM_PORT
// Raw node:http in front, undici Clients on a last-in-first-out free list behind, as in the product's data plane.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Client, type Dispatcher } from 'undici';

/** Headers of one connection (RFC 9110 section 7.6.1) and what undici writes itself. */
const dropped = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'host',
  'content-length',
  'upgrade',
]);

function passedOn(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (!dropped.has(name.toLowerCase())) headers.push(name, raw[i + 1] ?? '');
  }
  return headers;
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

function answerHeaders(headers: Headers): string[] {
  const flat: string[] = [];
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (name === 'connection' || name === 'keep-alive' || name === 'transfer-encoding') continue;
    if (typeof value === 'string') flat.push(name, value);
    else if (value !== undefined) for (const one of value) flat.push(name, one);
  }
  return flat;
}

function passThrough(response: ServerResponse, release: () => void): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      response.on('close', () => {
        if (!response.writableFinished) controller.abort(new Error('the client is gone'));
      });
    },
    onResponseStart(_controller, status, headers) {
      response.writeHead(status, answerHeaders(headers));
    },
    onResponseData(controller, chunk) {
      if (response.write(chunk)) return;
      controller.pause();
      response.once('drain', () => controller.resume());
    },
    onResponseEnd() {
      release();
      response.end();
    },
    onResponseError(_controller, error) {
      release();
      if (response.headersSent) response.destroy(error);
      else response.writeHead(502).end();
    },
  };
}

function startProxy(port: number, upstreamPort: number): void {
  const origin = `http://127.0.0.1:${upstreamPort}`;
  const free: Client[] = [];

  function dispatch(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const client = free.pop() ?? new Client(origin, { pipelining: 1 });
    let isOut = true;
    const handler = passThrough(response, () => {
      if (isOut && !client.destroyed) free.push(client);
      isOut = false;
    });
    const headers = passedOn(request.rawHeaders);
    client.dispatch({ path: request.url ?? '/', method: 'POST', headers, body }, handler);
  }

  const server = createServer((request, response) => {
    if (request.method !== 'POST') {
      response.writeHead(200, { 'content-length': '0' }).end();
      return;
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () =>
      dispatch(request, response, parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)),
    );
  });
  server.keepAliveTimeout = 60_000;
  server.listen(port, '127.0.0.1');
}

const [port, upstreamPort] = process.argv.slice(2).map(Number);
if (port === undefined || upstreamPort === undefined)
  throw new Error('name a port and the port to pass on to');
startProxy(port, upstreamPort);
