// Owns what calling an upstream looks like to the data plane: a request, a handler, a call that can be stopped.

/** One request as it goes on the wire. */
export type UpstreamRequest = {
  readonly method: string;
  /** Path and query at the provider, e.g. `/v1/chat/completions?beta=true`; starts with `/`. */
  readonly path: string;
  /** Flat: name, value, name, value. Framing and credentials included: see providers/request-headers.ts. */
  readonly headers: readonly string[];
  /** `null` for a request without a body. Not changed, and not to be changed until the call has ended. */
  readonly body: Uint8Array | null;
};

/**
 * Why a call ended without an answer, or within it. `unreachable`: refused, reset, unknown name, TLS failure.
 * `forbidden`: a destination that egress refuses. `timeout_connect`, `timeout_first_byte` (no headers), `timeout_idle` (silence
 * within the body). `invalid`: not HTTP/1.1 as we take it, an encoded body. `redirect`: to another place. `aborted`: by us.
 * `too_large`: headers beyond the client's cap.
 */
export type UpstreamErrorKind =
  | 'unreachable'
  | 'forbidden'
  | 'timeout_connect'
  | 'timeout_first_byte'
  | 'timeout_idle'
  | 'invalid'
  | 'redirect'
  | 'aborted'
  | 'too_large';

export type UpstreamError = {
  readonly kind: UpstreamErrorKind;
  /** True: `onHeaders` was not called, so nothing of this answer can have reached the client. */
  readonly beforeHeaders: boolean;
  /** False: certainly no byte of the request left, so that it cannot have had an effect or a price. */
  readonly requestSent: boolean;
  /** For the log. May name addresses: never for the client. */
  readonly cause: unknown;
};

/**
 * Takes the answer. Order: `onHeaders` once, `onData` any number of times, then exactly one of `onEnd` and
 * `onError`, and nothing after it. `onError` may come first. None is called before `send` has returned.
 */
export type UpstreamHandler = {
  /** A final status (never 1xx) and a flat header list with lower-case names. */
  onHeaders(status: number, headers: readonly string[]): void;
  /** The chunk belongs to the handler from here on. */
  onData(chunk: Uint8Array): void;
  onEnd(): void;
  onError(error: UpstreamError): void;
};

/** A call under way. All three may be called at any time, also after its end, when they do nothing. */
export type UpstreamCall = {
  /** Cuts the connection. `onError` with `aborted` follows, unless the call has ended. */
  abort(): void;
  /** Stops `onData`, through to TCP back-pressure; a chunk already under way may still come. */
  pause(): void;
  resume(): void;
};

/** One provider, as the data plane calls it. */
export type Upstream = {
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall;
};
