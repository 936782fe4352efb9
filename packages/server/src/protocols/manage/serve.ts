// Owns the inbound face of administration over HTTP: one way through for every operation of the contract.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CsvColumns, csvColumns, csvText } from '@countersign/contract/csv';
import type { Operation } from '@countersign/contract/operation';
import { AppError } from '@countersign/core/errors';
import type { RequestId } from '@countersign/core/ids';
import type { Manager, OperationCall } from '../../control/manager.ts';
import { sendProblem } from './problem.ts';
import { parseWith, readJson } from './read-json.ts';
import { createRouter, type Routed } from './router.ts';

export type ManageFace = {
  readonly manager: Manager;
  readonly operations: readonly Operation[];
  readonly newRequestId: () => RequestId;
  /** The client's address, from the peer's and the headers. */
  readonly addressOf: (peer: string | undefined, rawHeaders: readonly string[]) => string;
  readonly onError: (error: unknown, requestId: RequestId) => void;
};

const prefix = '/api/v1';

function readQuery(url: URL): unknown {
  const query: { [name: string]: string } = {};
  for (const [name, value] of url.searchParams) {
    if (Object.hasOwn(query, name))
      throw new AppError('invalid_request', `\`${name}\` is given twice: give it once`);
    Object.defineProperty(query, name, { value, enumerable: true, configurable: true });
  }
  return query;
}

/** The columns of each operation that answers in CSV, by its id. */
type Tables = ReadonlyMap<string, CsvColumns>;

function send(
  response: ServerResponse,
  tables: Tables,
  operation: Operation,
  value: unknown,
  accept: string,
  requestId: RequestId,
): void {
  const headers = { 'x-request-id': requestId, 'cache-control': 'no-store' };
  const wanted = operation.alsoProduces.find((type) => accept.includes(type));
  const object: { readonly [name: string]: unknown } =
    typeof value === 'object' && value !== null ? { ...value } : {};
  const columns = wanted === 'text/csv' ? tables.get(operation.id) : undefined;
  if (columns !== undefined && Array.isArray(object.items)) {
    const next = typeof object.next === 'string' ? { 'x-next-cursor': object.next } : {};
    response.writeHead(operation.status, { ...headers, ...next, 'content-type': 'text/csv; charset=utf-8' });
    response.end(csvText(columns, { ...object, items: object.items }));
  } else if (wanted === 'text/plain' && typeof object.checkpoint === 'string') {
    response.writeHead(operation.status, { ...headers, 'content-type': 'text/plain; charset=utf-8' });
    response.end(object.checkpoint);
  } else if (wanted === 'application/octet-stream' && typeof object.base64 === 'string') {
    response.writeHead(operation.status, { ...headers, 'content-type': 'application/octet-stream' });
    response.end(Buffer.from(object.base64, 'base64'));
  } else {
    response.writeHead(operation.status, { ...headers, 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  }
}

const formats: ReadonlyMap<string, string> = new Map([
  ['csv', 'text/csv'],
  ['json', 'application/json'],
]);

/** What the query or, where it says nothing, the header asks for. */
function acceptOf(query: unknown, request: IncomingMessage): string {
  const format = typeof query === 'object' && query !== null && 'format' in query ? query.format : undefined;
  return formats.get(String(format)) ?? request.headers.accept ?? '';
}

async function operate(
  face: ManageFace,
  tables: Tables,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  routed: Extract<Routed, { readonly kind: 'operation' }>,
  requestId: RequestId,
): Promise<void> {
  const { operation } = routed;
  const key = request.headers['idempotency-key'];
  if (typeof key === 'string' && (key === '' || key.length > 255)) {
    throw new AppError('invalid_request', '`Idempotency-Key` must have 1 to 255 characters');
  }
  const call: OperationCall = {
    operation,
    requestId,
    rawHeaders: request.rawHeaders,
    address: face.addressOf(request.socket.remoteAddress, request.rawHeaders),
    userAgent: request.headers['user-agent'],
    idempotencyKey: operation.runs === 'command' && typeof key === 'string' ? key : undefined,
    path: routed.params,
  };
  // INVARIANT: nothing is parsed or read for a caller who is not permitted.
  const permitted = await face.manager.permit(call);
  const params = parseWith(operation.params, routed.params, 'path');
  const parsedQuery = parseWith(operation.query, readQuery(url), 'query');
  const body =
    operation.body === null
      ? null
      : parseWith(operation.body, await readJson(request, operation.tag), 'body');
  const value = await face.manager.run(permitted, { params, query: parsedQuery, body });
  send(response, tables, operation, value, acceptOf(parsedQuery, request), requestId);
}

/** Makes the face: serves every path under `/api/v1`; false for any other path. */
export function createManageFace(
  face: ManageFace,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const route = createRouter(face.operations);
  const tables: Tables = new Map(
    face.operations
      .filter(({ alsoProduces }) => alsoProduces.includes('text/csv'))
      .map(({ id, response }) => [id, csvColumns(response)]),
  );
  return (request, response) => {
    const target = request.url ?? '/';
    if (!target.startsWith(`${prefix}/`)) return false;
    const requestId = face.newRequestId();
    const url = new URL(target, 'http://localhost');
    const path = url.pathname.slice(prefix.length);
    const [rawPath] = target.split('?', 1);
    if (rawPath !== url.pathname) {
      // INVARIANT: a path is what it looks like. One with dot segments would be another one to a proxy before us.
      sendProblem(
        response,
        new AppError('not_found', 'there is nothing at this path: write it plainly'),
        requestId,
      );
      return true;
    }
    const routed = route(request.method ?? 'GET', path);
    if (routed.kind === 'none') {
      sendProblem(
        response,
        new AppError('not_found', `there is no \`${path}\`: see /api/v1/openapi.json`),
        requestId,
      );
    } else if (routed.kind === 'wrong_method') {
      response.setHeader('allow', routed.allow.join(', '));
      sendProblem(
        response,
        new AppError('method_not_allowed', `this path takes ${routed.allow.join(', ')}`),
        requestId,
      );
    } else {
      operate(face, tables, request, response, url, routed, requestId).catch((error: unknown) => {
        const known =
          error instanceof AppError
            ? error
            : new AppError('internal', 'something went wrong here: name the request id when you ask');
        if (known !== error || known.code === 'internal') face.onError(error, requestId);
        sendProblem(response, known, requestId);
      });
    }
    return true;
  };
}
