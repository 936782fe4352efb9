// Owns the inbound face of the data plane over HTTP: from a request's head to the gateway, and back.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Dialect, type Endpoint, matchEndpoint } from '@countersign/core/dialects/endpoints';
import { renderError } from '@countersign/core/dialects/errors';
import type { RequestId } from '@countersign/core/ids';
import type { InboundCall, Reply } from '../../gateway/call.ts';
import { readBody } from '../http/read-body.ts';
import { createReply } from './reply.ts';

export type InferenceFace = {
  readonly serve: (call: InboundCall, reply: Reply) => Promise<void>;
  readonly newRequestId: () => RequestId;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly bodyLimit: number;
  /** Milliseconds that a client may neither send of its body nor take of its answer. */
  readonly idleMs: number;
  readonly now: () => number;
  readonly clock: () => number;
};

function one(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}

function inboundCall(
  face: InferenceFace,
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: Endpoint,
  query: string,
): InboundCall {
  return {
    requestId: face.newRequestId(),
    receivedMs: face.now(),
    receivedAt: face.clock(),
    endpoint,
    method: request.method ?? 'GET',
    query,
    rawHeaders: request.rawHeaders,
    header: (name) => one(request.headers[name]),
    address: face.addressOf(request),
    readBody: () => readBody(request, face.bodyLimit, face.idleMs),
    onGone: (listener) => {
      if (response.destroyed) listener();
      else response.once('close', () => !response.writableFinished && listener());
    },
  };
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
    refuseMethod(face, response, match.dialect, match.allow);
    return true;
  }
  const { endpoint } = match;
  const call = inboundCall(face, request, response, endpoint, mark < 0 ? '' : url.slice(mark));
  const reply = createReply(response, {
    dialect: endpoint.dialect,
    isResponses: endpoint.id === 'responses' || endpoint.id === 'response_object',
    requestId: call.requestId,
    idleMs: face.idleMs,
  });
  void face.serve(call, reply);
  return true;
}
