// Owns one HTTP/1.1 exchange with a provider: one request on a pooled connection, time-outs, back-pressure, one ending.

import type { Provider } from '@countersign/core/directory/objects';
import { createDeadlines, type Deadline, type Deadlines } from '../../platform/deadlines/deadlines.ts';
import type { ClientPool, PooledConnection } from '../../platform/egress/client-pool.ts';
import type { ConnectionUser } from '../../platform/http1/connection.ts';
import type { Head } from '../../platform/http1/head-bytes.ts';
import { outgoingHead } from '../../platform/http1/outgoing-head.ts';
import type {
  Upstream,
  UpstreamCall,
  UpstreamErrorKind,
  UpstreamHandler,
  UpstreamRequest,
} from '../upstream.ts';
import { joinPath, parseBaseUrl } from './base-url.ts';
import { failureKind } from './http-failure.ts';

export type HttpUpstreamOptions = {
  readonly baseUrl: string;
  readonly timeouts: Provider['timeouts'];
  /** Where connections come from; platform/egress decides which addresses they may reach. */
  readonly pool: ClientPool;
};

/** What the exchanges of one provider share. */
type Place = {
  readonly origin: string;
  readonly host: string;
  readonly prefix: string;
  readonly timeouts: Provider['timeouts'];
  readonly pool: ClientPool;
  readonly deadlines: Deadlines;
};

/** True unless the body is as it is written: `identity`, or said nothing of. */
function isEncoded(headers: readonly string[]): boolean {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at] !== 'content-encoding') continue;
    const encoding = headers[at + 1] ?? '';
    if (encoding !== '' && encoding.toLowerCase() !== 'identity') return true;
  }
  return false;
}

/** What is wrong with a final answer's head, or `undefined`. */
function refusal(
  status: number,
  headers: readonly string[],
): { readonly kind: UpstreamErrorKind; readonly why: string } | undefined {
  if (status >= 300 && status < 400)
    return { kind: 'redirect', why: `the provider answered with the redirect ${status}` };
  if (isEncoded(headers))
    return { kind: 'invalid', why: 'the provider encoded its answer, where `identity` was asked for' };
  return undefined;
}

/** One request and its answer. A class for the sake of its life, and because each request makes one. */
class Exchange implements ConnectionUser, UpstreamCall {
  readonly #handler: UpstreamHandler;
  readonly #place: Place;
  readonly #method: string;
  /** Given up when they are written. */
  #head: Head | undefined;
  #body: Uint8Array | null;
  #connection: PooledConnection | undefined;
  #deadline: Deadline | undefined;
  #waitsFor: UpstreamErrorKind = 'timeout_connect';
  #waitMs = 0;
  #isSent = false;
  #hasHeaders = false;
  #hasEnded = false;
  #isPaused = false;

  constructor(handler: UpstreamHandler, place: Place, request: UpstreamRequest) {
    this.#handler = handler;
    this.#place = place;
    this.#method = request.method;
    this.#body = request.body;
  }

  start(request: UpstreamRequest): void {
    const { origin, host, prefix, timeouts, pool } = this.#place;
    try {
      this.#head = outgoingHead({
        method: request.method,
        host,
        path: joinPath(prefix, request.path),
        headers: request.headers,
        bodyLength: request.body === null ? 0 : request.body.length,
      });
      this.#connection = pool.acquire(origin, timeouts.connectMs, this);
    } catch (error) {
      this.#fail(failureKind(error, false), error);
      return;
    }
    // The dialer has its own clock; this one bounds what comes before it too, such as names that never resolve.
    this.#await('timeout_connect', timeouts.connectMs);
  }

  onReady(): void {
    // INVARIANT: a request is written at most once. A second writing would be an attempt without its own intent.
    if (this.#isSent || this.#hasEnded) return;
    this.#isSent = true;
    this.#await('timeout_first_byte', this.#place.timeouts.firstByteMs);
    if (this.#head !== undefined) this.#connection?.write(this.#method, this.#head, this.#body);
    this.#head = undefined;
    this.#body = null;
  }

  onHead(status: number, headers: readonly string[]): boolean {
    const refused = refusal(status, headers);
    if (refused !== undefined) {
      this.#fail(refused.kind, new Error(refused.why));
      return false;
    }
    this.#hasHeaders = true;
    if (this.#isPaused) {
      this.#stopClock();
      this.#connection?.pause();
    } else this.#await('timeout_idle', this.#place.timeouts.idleMs);
    this.#handler.onHeaders(status, headers);
    return this.#mayGoOn();
  }

  onBody(chunk: Uint8Array): boolean {
    this.#deadline?.extend(this.#waitMs);
    this.#handler.onData(chunk);
    return this.#mayGoOn();
  }

  onComplete(): void {
    this.#hasEnded = true;
    this.#stopClock();
    this.#connection?.release();
    this.#handler.onEnd();
  }

  onBroken(error: unknown): void {
    this.#fail(failureKind(error, this.#isSent), error);
  }

  abort(): void {
    this.#fail('aborted', new Error('the call was given up'));
  }

  pause(): void {
    if (this.#isPaused || this.#hasEnded) return;
    this.#isPaused = true;
    if (!this.#hasHeaders) return;
    // Only the provider's silence counts, not the one that we ask for.
    this.#stopClock();
    this.#connection?.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.#hasEnded) return;
    this.#isPaused = false;
    if (!this.#hasHeaders) return;
    this.#await('timeout_idle', this.#place.timeouts.idleMs);
    // Never within the caller's own call.
    queueMicrotask(() => {
      if (this.#mayGoOn()) this.#connection?.resume();
    });
  }

  #mayGoOn(): boolean {
    return !this.#isPaused && !this.#hasEnded;
  }

  /** One deadline for all that is waited for, one after the other. */
  #await(kind: UpstreamErrorKind, milliseconds: number): void {
    this.#waitsFor = kind;
    this.#waitMs = milliseconds;
    if (this.#deadline === undefined) {
      this.#deadline = this.#place.deadlines.after(milliseconds, () => {
        this.#fail(this.#waitsFor, new Error(`nothing came within ${this.#waitMs} ms`));
      });
    } else this.#deadline.extend(milliseconds);
  }

  #stopClock(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
  }

  /** The one way to an ending that is not clean: the connection dies with it, and the handler hears once. */
  #fail(kind: UpstreamErrorKind, cause: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopClock();
    const error = { kind, beforeHeaders: !this.#hasHeaders, requestSent: this.#isSent, cause };
    this.#connection?.destroy();
    // Never within `send` or `abort`: their callers are not ready for an answer.
    queueMicrotask(() => this.#handler.onError(error));
  }
}

/**
 * A provider that speaks HTTP/1.1. `baseUrl` may have a path (see `joinPath`); it throws
 * `AppError('invalid_request')` when it cannot be a base. `timeouts` in milliseconds: `connectMs` until the
 * request can be written, `firstByteMs` from there to the complete headers, `idleMs` of silence within the
 * body, not counting the time for which the caller has paused it. The body has no cap here. Trailers are dropped.
 *
 * A body that its provider frames only by closing (no length, not chunked) ends with `onEnd` even when the
 * connection broke: whether the answer is whole follows from its terminal event or its JSON.
 */
export function createHttpUpstream({ baseUrl, timeouts, pool }: HttpUpstreamOptions): Upstream {
  const { origin, prefix } = parseBaseUrl(baseUrl);
  const { host } = new URL(origin);
  const place: Place = { origin, host, prefix, timeouts, pool, deadlines: createDeadlines() };
  return {
    send(request, handler) {
      const exchange = new Exchange(handler, place, request);
      exchange.start(request);
      return exchange;
    },
  };
}
