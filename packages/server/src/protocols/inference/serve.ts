// Owns the inbound face of the data plane over HTTP: from a request's head to the gateway, and back.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Dialect, type Endpoint, matchEndpoint } from '@countersign/core/dialects/endpoints';
import { renderError } from '@countersign/core/dialects/errors';
import { modelsDialect } from '@countersign/core/dialects/models-list';
import { spokenDialect } from '@countersign/core/dialects/spoken-dialect';
import type { RequestId } from '@countersign/core/ids';
import type { InboundCall, Reply } from '../../gateway/call.ts';
import { type IdleLimit, readBody } from '../http/read-body.ts';
import { createReply } from './reply.ts';

export type InferenceFace = {
  readonly serve: (call: InboundCall, reply: Reply) => Promise<void>;
  readonly newRequestId: () => RequestId;
  /** The client's address, from the peer's and the headers. */
  readonly addressOf: (peer: string | undefined, rawHeaders: readonly string[]) => string;
  readonly bodyLimit: number;
  /** What a client may neither send of its body nor take of its answer. */
  readonly idle: IdleLimit;
  readonly now: () => number;
  readonly clock: () => number;
};

function one(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}

/** One request as the data plane sees it. A class because each request makes one. */
class HttpCall implements InboundCall {
  readonly requestId: RequestId;
  readonly receivedMs: number;
  readonly receivedAt: number;
  readonly endpoint: Endpoint;
  readonly method: string;
  readonly query: string;
  readonly rawHeaders: readonly string[];
  readonly address: string;
  readonly #face: InferenceFace;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(
    face: InferenceFace,
    request: IncomingMessage,
    response: ServerResponse,
    endpoint: Endpoint,
    query: string,
  ) {
    this.requestId = face.newRequestId();
    this.receivedMs = face.now();
    this.receivedAt = face.clock();
    this.endpoint = endpoint;
    this.method = request.method ?? 'GET';
    this.query = query;
    this.rawHeaders = request.rawHeaders;
    this.address = face.addressOf(request.socket.remoteAddress, request.rawHeaders);
    this.#face = face;
    this.#request = request;
    this.#response = response;
  }

  header(name: string): string | undefined {
    return one(this.#request.headers[name]);
  }

  readBody(): Promise<Uint8Array> {
    const { bodyLimit, idle } = this.#face;
    return readBody(this.#request, bodyLimit, idle);
  }

  onGone(listener: () => void): void {
    const response = this.#response;
    if (response.destroyed) listener();
    else response.once('close', () => !response.writableFinished && listener());
  }
}

function refuseMethod(
  face: InferenceFace,
  response: ServerResponse,
  dialect: Dialect,
  allow: readonly string[],
): void {
  const message = `this path takes ${allow.join(', ')}`;
  const rendered = renderError(dialect, 'method_not_allowed', message, face.newRequestId(), { allow });
  response.writeHead(rendered.status, rendered.headers);
  response.end(rendered.body);
}

const hasAnthropicVersion = (request: IncomingMessage): boolean =>
  request.headers['anthropic-version'] !== undefined;

/** The list of models is at one path in both dialects: the caller's is settled here, before anything can refuse. */
function settled(endpoint: Endpoint, request: IncomingMessage): Endpoint {
  if (endpoint.id !== 'models') return endpoint;
  return { ...endpoint, dialect: modelsDialect(endpoint.dialect, hasAnthropicVersion(request)) };
}

/** Serves the request if its path is the data plane's; false if it is not. */
export function serveInferencePath(
  face: InferenceFace,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const match = matchEndpoint(request.method ?? 'GET', path);
  if (match.kind === 'none') return false;
  if (match.kind === 'wrong_method') {
    refuseMethod(face, response, spokenDialect(path, hasAnthropicVersion(request)), match.allow);
    return true;
  }
  const endpoint = settled(match.endpoint, request);
  const call = new HttpCall(face, request, response, endpoint, mark < 0 ? '' : url.slice(mark));
  const reply = createReply(response, endpoint, call.requestId, face.idle.ms);
  void face.serve(call, reply);
  return true;
}
