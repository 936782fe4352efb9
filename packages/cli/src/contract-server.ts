// Owns a server that speaks the contract over real HTTP, for tests: each operation answers as the test says.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Operation, pathParameters } from '@countersign/contract/operation';
import { operations } from '@countersign/contract/operations';
import { parseJson } from '@countersign/core/parse-json';

export type Asked = {
  readonly operation: string;
  readonly params: { readonly [name: string]: string };
  readonly query: { readonly [name: string]: string };
  readonly body: unknown;
  readonly key: string | undefined;
  readonly idempotencyKey: string | undefined;
};

/** What an operation answers: any value, bytes for `Accept: application/octet-stream`, or a problem. */
export type Answers = { readonly [operation: string]: (asked: Asked) => unknown };

/** Thrown by an answer: the server sends it as a problem. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

export type ContractServer = {
  readonly url: string;
  /** Every operation that was asked, in order. */
  readonly asked: Asked[];
  readonly close: () => void;
};

function match(operation: Operation, path: string): { readonly [name: string]: string } | undefined {
  const names = pathParameters(operation.path);
  const source = operation.path.replace(/\{path\}/, '(.+)').replaceAll(/\{[a-zA-Z]+\}/g, '([^/]+)');
  const found = new RegExp(`^${source}$`).exec(path);
  if (found === null) return undefined;
  return Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? '')]));
}

function sendProblem(response: ServerResponse, error: unknown): void {
  const { status, code, message } =
    error instanceof Refusal ? error : { status: 500, code: 'internal', message: String(error) };
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(
    JSON.stringify({
      type: 'about:blank',
      title: code,
      status,
      code,
      detail: message,
      requestId: 'req_sample',
    }),
  );
}

function respond(answers: Answers, asked: Asked[], request: IncomingMessage, text: string): unknown {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = url.pathname.replace(/^\/api\/v1/, '');
  for (const operation of operations) {
    const params = operation.method === request.method ? match(operation, path) : undefined;
    if (params === undefined) continue;
    const body = operation.body === null || text === '' ? undefined : parseJson(text);
    const parsed = operation.body?.safeParse(body);
    if (parsed?.success === false) throw new Refusal(400, 'invalid_request', parsed.error.message);
    const idempotencyKey = request.headers['idempotency-key'];
    const one: Asked = {
      operation: operation.id,
      params,
      query: Object.fromEntries(url.searchParams),
      body,
      key: request.headers.authorization?.replace(/^Bearer /, ''),
      idempotencyKey: typeof idempotencyKey === 'string' ? idempotencyKey : undefined,
    };
    asked.push(one);
    const answer = answers[operation.id];
    if (answer === undefined) throw new Refusal(404, 'not_found', `nothing answers \`${operation.id}\``);
    return answer(one);
  }
  throw new Refusal(404, 'not_found', 'there is no such path');
}

/** Starts it on a free port of the loopback. */
export async function serveContract(answers: Answers): Promise<ContractServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        const answer = respond(answers, asked, request, Buffer.concat(chunks).toString());
        const isBytes = answer instanceof Uint8Array;
        response.writeHead(200, {
          'content-type': isBytes ? 'application/octet-stream' : 'application/json',
        });
        response.end(isBytes ? answer : JSON.stringify(answer));
      } catch (error) {
        sendProblem(response, error);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
