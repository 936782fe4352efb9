// Owns what the data plane is handed by a protocol, and what it hands back: no status codes, no wire shapes.

import type { Endpoint } from '@countersign/core/dialects/endpoints';
import type { AppError } from '@countersign/core/errors';
import type { RequestId } from '@countersign/core/ids';

/** A request as a protocol read its head. The body is not read before the credential is good. */
export type InboundCall = {
  readonly requestId: RequestId;
  /** Milliseconds since 1970, and of the monotonic clock. */
  readonly receivedMs: number;
  readonly receivedAt: number;
  readonly endpoint: Endpoint;
  readonly method: string;
  /** `?…` as sent, or empty. */
  readonly query: string;
  /** Name, value, name, value, as received. */
  readonly rawHeaders: readonly string[];
  /** The one value of a header; undefined if absent. Names are lower case. */
  readonly header: (name: string) => string | undefined;
  /** The client's address, behind trusted proxies only as far as they are trusted. */
  readonly address: string;
  /** The body under the configured limit, at once where it is there. Refuses with `payload_too_large` or `invalid_request`. */
  readonly readBody: () => Uint8Array | Promise<Uint8Array>;
  /** Calls back once if the client goes before the answer is complete. */
  readonly onGone: (listener: () => void) => void;
};

/** Where the answer goes. After `refuse`, `end` or `fail` nothing more is taken. */
export type Reply = {
  /** A refusal before the head was sent, in the caller's dialect. */
  readonly refuse: (error: AppError, headers: ReplyHeaders) => void;
  /** True once `head` was called. */
  readonly hasHead: () => boolean;
  /** `length` is the body's in bytes, where it is known. */
  readonly head: (status: number, headers: ReplyHeaders, length?: number) => void;
  /** False: wait for `onDrain` before more. */
  readonly write: (bytes: Uint8Array) => boolean;
  readonly onDrain: (listener: () => void) => void;
  readonly end: (bytes: Uint8Array | undefined) => void;
  /** A refusal after the head: an event of the dialect, then the end. */
  readonly fail: (error: AppError) => void;
  readonly isGone: () => boolean;
};

/** Flat: name, value, name, value. */
export type ReplyHeaders = readonly string[];
