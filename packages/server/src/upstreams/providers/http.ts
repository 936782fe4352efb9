// Owns one HTTP/1.1 exchange with a provider: dispatch on a pooled client, time-outs, back-pressure, one ending.

import type { Provider } from '@countersign/core/directory/objects';
import type { Client, Dispatcher } from 'undici';
import { createDeadlines, type Deadline, type Deadlines } from '../../platform/deadlines/deadlines.ts';
import type {
  Upstream,
  UpstreamCall,
  UpstreamErrorKind,
  UpstreamHandler,
  UpstreamRequest,
} from '../upstream.ts';
import { joinPath, parseBaseUrl } from './base-url.ts';
import { failureKind } from './http-failure.ts';

/** A client that carries one exchange at a time (`pipelining: 1`, no `allowH2`). */
export type PooledClient = {
  readonly client: Client;
  /**
   * Called exactly once, at the exchange's end. After an ending that was not clean the client has been destroyed
   * before (`client.destroyed`), and must not be given out again.
   */
  release(): void;
};

/** Where clients come from; platform/egress decides which addresses they may reach. `acquire` may throw. */
export type ClientPool = {
  acquire(origin: string, connectTimeoutMs: number): PooledClient;
};

export type HttpUpstreamOptions = {
  readonly baseUrl: string;
  readonly timeouts: Provider['timeouts'];
  readonly pool: ClientPool;
};

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Interim answers (RFC 9110 section 15.2) restart the client's wait for headers, so they are bounded. */
const maxInterim = 8;

function ignore(): void {}

function flatten(headers: Headers): readonly string[] {
  const flat: string[] = [];
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (typeof value === 'string') flat.push(name, value);
    else if (value !== undefined) for (const one of value) flat.push(name, one);
  }
  return flat;
}

function isEncoded(headers: Headers): boolean {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding === '') return false;
  return typeof encoding !== 'string' || encoding.trim().toLowerCase() !== 'identity';
}

/** What is wrong with a final answer's head, or `undefined`. */
function refusal(
  status: number,
  headers: Headers,
): { readonly kind: UpstreamErrorKind; readonly why: string } | undefined {
  if (status >= 300 && status < 400)
    return { kind: 'redirect', why: `the provider answered with the redirect ${status}` };
  if (isEncoded(headers))
    return { kind: 'invalid', why: 'the provider encoded its answer, where `identity` was asked for' };
  return undefined;
}

/** One request and its answer. A class for the sake of its life, and because each request makes one. */
class Exchange implements Dispatcher.DispatchHandler, UpstreamCall {
  readonly #handler: UpstreamHandler;
  #pooled: PooledClient | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  readonly #timeouts: Provider['timeouts'];
  readonly #deadlines: Deadlines;
  #deadline: Deadline | undefined;
  #interim = 0;
  #isSent = false;
  #hasHeaders = false;
  #hasEnded = false;
  #isPaused = false;

  constructor(handler: UpstreamHandler, timeouts: Provider['timeouts'], deadlines: Deadlines) {
    this.#handler = handler;
    this.#timeouts = timeouts;
    this.#deadlines = deadlines;
  }

  start(pool: ClientPool, origin: string, path: string, request: UpstreamRequest): void {
    try {
      this.#pooled = pool.acquire(origin, this.#timeouts.connectMs);
      this.#pooled.client.dispatch(
        {
          path,
          method: request.method,
          headers: [...request.headers],
          body: request.body,
          // undici's own clocks tick twice a second and stand still while the event loop does: ours are used.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        this,
      );
    } catch (error) {
      this.#fail(failureKind(error, false), error);
      return;
    }
    // The dialer has its own clock; this one bounds what comes before it too, such as names that never resolve.
    if (!this.#isSent && !this.#hasEnded) this.#arm('timeout_connect', this.#timeouts.connectMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // INVARIANT: a request is written at most once. A second writing would be an attempt without its own intent.
    if (this.#isSent || this.#hasEnded) {
      const cause = new Error('the connection was lost before an answer');
      this.#fail('unreachable', cause);
      controller.abort(cause);
      return;
    }
    this.#isSent = true;
    this.#controller = controller;
    this.#arm('timeout_first_byte', this.#timeouts.firstByteMs);
    if (this.#isPaused) controller.pause();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (this.#hasEnded) return;
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > maxInterim) this.#fail('invalid', new Error('too many interim answers'));
      return;
    }
    const refused = refusal(status, headers);
    if (refused !== undefined) {
      this.#fail(refused.kind, new Error(refused.why));
      return;
    }
    this.#hasHeaders = true;
    this.#deadline?.cancel();
    if (!this.#isPaused) this.#arm('timeout_idle', this.#timeouts.idleMs);
    this.#handler.onHeaders(status, flatten(headers));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#hasEnded) return;
    if (!this.#isPaused) this.#deadline?.extend(this.#timeouts.idleMs);
    this.#handler.onData(chunk);
  }

  onResponseEnd(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#deadline?.cancel();
    this.#pooled?.release();
    this.#handler.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(failureKind(error, this.#isSent), error);
  }

  abort(): void {
    this.#fail('aborted', new Error('the call was given up'));
  }

  pause(): void {
    if (this.#isPaused || this.#hasEnded) return;
    this.#isPaused = true;
    // Only the provider's silence counts, not the one that we ask for.
    if (this.#hasHeaders) this.#deadline?.cancel();
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#isPaused || this.#hasEnded) return;
    this.#isPaused = false;
    if (this.#hasHeaders) this.#arm('timeout_idle', this.#timeouts.idleMs);
    // undici's parser is one for all connections and must not be re-entered: a `resume` of this call within
    // another call's `onData` would.
    queueMicrotask(() => {
      if (!this.#isPaused && !this.#hasEnded) this.#controller?.resume();
    });
  }

  #arm(kind: UpstreamErrorKind, milliseconds: number): void {
    this.#deadline?.cancel();
    this.#deadline = this.#deadlines.after(milliseconds, () => {
      this.#fail(kind, new Error(`nothing came within ${milliseconds} ms`));
    });
  }

  /** The one way to an ending that is not clean: the connection dies with it, and the handler hears once. */
  #fail(kind: UpstreamErrorKind, cause: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#deadline?.cancel();
    const error = { kind, beforeHeaders: !this.#hasHeaders, requestSent: this.#isSent, cause };
    const reason = cause instanceof Error ? cause : new Error(kind);
    this.#controller?.abort(reason);
    if (this.#pooled !== undefined) {
      this.#pooled.client.destroy(reason, ignore);
      this.#pooled.release();
    }
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
  const deadlines = createDeadlines();
  return {
    send(request, handler) {
      const exchange = new Exchange(handler, timeouts, deadlines);
      exchange.start(pool, origin, joinPath(prefix, request.path), request);
      return exchange;
    },
  };
}
