// Owns the answer of a model request over HTTP: framing is ours, refusals are in the caller's dialect.

import type { ServerResponse } from 'node:http';
import type { Dialect, Endpoint } from '@countersign/core/dialects/endpoints';
import { renderError, renderStreamError } from '@countersign/core/dialects/errors';
import type { AppError } from '@countersign/core/errors';
import type { RequestId } from '@countersign/core/ids';
import type { Reply, ReplyHeaders } from '../../gateway/call.ts';

/** A refusal as it is answered. */
export type Refusal = {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
};

/** A refusal before the head was sent. `own` are headers of ours, of which the dialect's own come first. */
export function refusalOf(
  dialect: Dialect,
  requestId: RequestId,
  error: AppError,
  own: readonly string[],
): Refusal {
  const rendered = renderError(dialect, error.code, error.message, requestId, {
    retryAfterSeconds: error.details.retryAfterSeconds,
  });
  const body = Buffer.from(rendered.body, 'utf8');
  const headers = Object.entries(rendered.headers).flat();
  for (let i = 0; i + 1 < own.length; i += 2) {
    const name = own[i] ?? '';
    if (!(name in rendered.headers)) headers.push(name, own[i + 1] ?? '');
  }
  headers.push('content-length', String(body.length));
  return { status: rendered.status, headers, body };
}

/** A refusal after the head was sent: an event of the dialect. */
export function failureOf({ dialect, id }: Endpoint, requestId: RequestId, error: AppError): string {
  const isResponses = id === 'responses' || id === 'response_object';
  return renderStreamError(dialect, isResponses, error.code, error.message, requestId);
}

function refuse(
  response: ServerResponse,
  dialect: Dialect,
  requestId: RequestId,
  error: AppError,
  own: readonly string[],
): void {
  const { status, headers, body } = refusalOf(dialect, requestId, error, own);
  // A body that never ends would hold its connection.
  if (!response.req.complete) response.shouldKeepAlive = false;
  response.writeHead(status, [...headers]);
  response.end(body);
}

/** The answer to one request. A class because each request makes one. */
class HttpReply implements Reply {
  readonly #response: ServerResponse;
  readonly #endpoint: Endpoint;
  readonly #requestId: RequestId;
  readonly #idleMs: number;
  #isWatched = false;

  constructor(response: ServerResponse, endpoint: Endpoint, requestId: RequestId, idleMs: number) {
    this.#response = response;
    this.#endpoint = endpoint;
    this.#requestId = requestId;
    this.#idleMs = idleMs;
  }

  hasHead(): boolean {
    return this.#response.headersSent;
  }

  isGone(): boolean {
    return this.#response.destroyed;
  }

  refuse(error: AppError, headers: ReplyHeaders): void {
    const response = this.#response;
    if (!response.headersSent && !response.destroyed)
      refuse(response, this.#endpoint.dialect, this.#requestId, error, headers);
  }

  head(status: number, headers: ReplyHeaders, length?: number): void {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    const framing = length === undefined ? [] : ['content-length', String(length)];
    response.writeHead(status, [...headers, ...framing]);
  }

  write(bytes: Uint8Array): boolean {
    return this.#response.destroyed || this.#response.write(bytes);
  }

  onDrain(listener: () => void): void {
    const response = this.#response;
    this.#watchReader();
    response.once('drain', () => {
      response.setTimeout(0);
      listener();
    });
  }

  end(bytes: Uint8Array | undefined): void {
    if (!this.#response.destroyed) this.#finish(bytes);
  }

  fail(error: AppError): void {
    if (!this.#response.destroyed) this.#finish(failureOf(this.#endpoint, this.#requestId, error));
  }

  #finish(last: Uint8Array | string | undefined): void {
    const response = this.#response;
    response.end(last);
    // What the kernel has taken needs no watch; what waits in this process waits for the reader.
    if (response.writableLength > 0) this.#watchReader();
  }

  /** Ends the connection once its client has taken nothing for so long. Progress within a write counts. */
  #watchReader(): void {
    const response = this.#response;
    // Each listener stays: a slow reader has many writes, and needs one.
    if (!this.#isWatched) response.on('timeout', () => response.destroy());
    this.#isWatched = true;
    response.setTimeout(this.#idleMs);
  }
}

/**
 * The reply to one request. What comes after the client has gone is dropped; `idleMs` is how long a client may take
 * nothing of its answer until it counts as gone.
 */
export function createReply(
  response: ServerResponse,
  endpoint: Endpoint,
  requestId: RequestId,
  idleMs: number,
): Reply {
  return new HttpReply(response, endpoint, requestId, idleMs);
}
