// Owns the messages between two threads: their shapes, how refusals cross, and posting them a tick at a time.

import type { Transferable } from 'node:worker_threads';
import { AppError, type ErrorCode, type ErrorDetails } from '@countersign/core/errors';

/** Named requests with what they carry and what comes back. Declare one type and give it to both ends. */
export type CallMap = { readonly [name: string]: { readonly request: unknown; readonly reply: unknown } };

/** Named messages without an answer. */
export type NoticeMap = { readonly [name: string]: unknown };

/** The common part of a Worker, a MessagePort and `parentPort`. */
export type Endpoint = {
  postMessage(value: unknown, transfer?: readonly Transferable[]): void;
  on(event: string, listener: (value: unknown) => void): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
};

export type CallMessage<Calls extends CallMap, Name extends keyof Calls> = {
  readonly kind: 'call';
  readonly id: number;
  readonly name: Name;
  readonly payload: Calls[Name]['request'];
};

export type NoticeMessage<Notices extends NoticeMap, Name extends keyof Notices> = {
  readonly kind: 'notice';
  readonly name: Name;
  readonly payload: Notices[Name];
};

export type WireError = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Omit<ErrorDetails, 'cause'>;
};

export type ReplyMessage =
  | { readonly kind: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: WireError };

/** `close` asks the serving end to finish; `closed` says that it has. */
export type CloseMessage = { readonly kind: 'close' };
export type ClosedMessage = { readonly kind: 'closed' };

/**
 * What arrived in one post. INVARIANT: both ends are built from the same types and run the same release, so the
 * compiler has checked every message where it was posted.
 */
export function isBatch<Message>(value: unknown): value is readonly Message[] {
  return Array.isArray(value);
}

/** What may cross of an error: a refusal's code, message and details, of anything else nothing. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof AppError)) return { code: 'internal', message: 'internal error', details: {} };
  const { cause: _, ...details } = error.details;
  return { code: error.code, message: error.message, details };
}

export function fromWireError(error: WireError): AppError {
  return new AppError(error.code, error.message, error.details);
}

export type Outbox<Message> = {
  /** Posts with everything else of this tick; `onUnsendable` hears when the message cannot be cloned. */
  readonly post: (
    message: Message,
    transfer?: readonly Transferable[],
    onUnsendable?: (error: unknown) => void,
  ) => void;
  /** Posts what waits, now. */
  readonly flush: () => void;
};

type Parcel<Message> = {
  readonly message: Message;
  readonly transfer: readonly Transferable[];
  readonly onUnsendable: ((error: unknown) => void) | undefined;
};

/** Gathers the messages of one tick into one post: a post costs the sender about 10 µs. */
export function createOutbox<Message>(endpoint: Endpoint): Outbox<Message> {
  let parcels: Parcel<Message>[] = [];

  function postAlone(parcel: Parcel<Message>): void {
    try {
      endpoint.postMessage([parcel.message], parcel.transfer);
    } catch (error) {
      parcel.onUnsendable?.(error);
    }
  }

  function flush(): void {
    const batch = parcels;
    if (batch.length === 0) return;
    parcels = [];
    try {
      endpoint.postMessage(
        batch.map((parcel) => parcel.message),
        batch.flatMap((parcel) => parcel.transfer),
      );
    } catch {
      // One of them cannot be cloned: the others must not suffer for it.
      batch.forEach(postAlone);
    }
  }

  return {
    post(message, transfer = [], onUnsendable) {
      if (parcels.length === 0) queueMicrotask(flush);
      parcels.push({ message, transfer, onUnsendable });
    },
    flush,
  };
}
