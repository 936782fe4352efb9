// Owns the asking end of a thread port: bounded calls, their time-outs, and what happens when the thread dies.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Transferable } from 'node:worker_threads';
import { AppError, assertNever } from '@countersign/core/errors';
import {
  type CallMap,
  type CallMessage,
  type ClosedMessage,
  type CloseMessage,
  createOutbox,
  type Endpoint,
  fromWireError,
  isBatch,
  type NoticeMap,
  type NoticeMessage,
  type ReplyMessage,
} from './thread-messages.ts';
import { createPendingCalls, type PendingCalls } from './thread-pending.ts';

export type ThreadClientOptions<Heard extends NoticeMap> = {
  /** Says which thread it is in errors and logs: `writer`, `reader`. */
  readonly name: string;
  /** Calls without an answer beyond which further ones are refused with `overloaded`. */
  readonly maxOutstanding: number;
  /** Milliseconds until a call is given up; its work may still be done, and still counts as outstanding. */
  readonly timeoutMs: number;
  readonly onNotice?: NoticeHandlers<Heard>;
  /** Hears what a notice handler throws, and of a notice that cannot be cloned. */
  readonly onError: (error: unknown, name: string) => void;
  /** Called once if the thread ends without having been asked to. All pending calls are refused before. */
  readonly onDeath: (reason: AppError) => void;
};

export type ThreadClient<Calls extends CallMap, Said extends NoticeMap> = {
  /**
   * Asks and waits. Refusals of the other end arrive with code, message and details. Throws `overloaded` when too
   * many calls wait, `storage_unavailable` on a time-out (the outcome is then unknown) or when the thread has died,
   * `shutting_down` after `close`. Buffers in `transfer` are moved, not copied.
   */
  readonly call: <Name extends keyof Calls>(
    name: Name,
    payload: Calls[Name]['request'],
    transfer?: readonly Transferable[],
  ) => Promise<Calls[Name]['reply']>;
  /** Tells without waiting; lost when the thread is gone. */
  readonly notify: <Name extends keyof Said>(name: Name, payload: Said[Name]) => void;
  /** Calls that have been posted and not answered. */
  readonly outstanding: () => number;
  /** Waits for the answers under way, then lets the other end finish; true if both were done in `timeoutMs`. */
  readonly close: (timeoutMs: number) => Promise<boolean>;
};

type NoticeHandlers<Heard extends NoticeMap> = {
  readonly [Name in keyof Heard]: (payload: Heard[Name]) => void;
};

type Outgoing<Calls extends CallMap, Said extends NoticeMap> =
  | CallMessage<Calls, keyof Calls>
  | NoticeMessage<Said, keyof Said>
  | CloseMessage;

type Incoming<Heard extends NoticeMap> = ReplyMessage | ClosedMessage | NoticeMessage<Heard, keyof Heard>;

const deathEvents = ['exit', 'error', 'close', 'messageerror'] as const;

function busy(thread: string): AppError {
  return new AppError('overloaded', `the ${thread} thread has too much to do: retry shortly`, {
    retryAfterSeconds: 1,
  });
}

function gone(thread: string, cause: unknown): AppError {
  return new AppError('storage_unavailable', `the ${thread} thread has stopped: restart the server`, {
    cause,
  });
}

/** The refusal of calls to a thread that ends. */
export function shuttingDown(): AppError {
  return new AppError('shutting_down', 'the server is shutting down: retry shortly', {
    retryAfterSeconds: 1,
  });
}

function unsendable(thread: string, cause: unknown): AppError {
  return new AppError('internal', `a message to the ${thread} thread cannot be cloned`, { cause });
}

type Hearing = { readonly onBatch: (batch: unknown) => void; readonly onEnd: (cause: unknown) => void };

/** Starts listening; returns how to stop. */
function listen(endpoint: Endpoint, hearing: Hearing): () => void {
  endpoint.on('message', hearing.onBatch);
  for (const event of deathEvents) endpoint.on(event, hearing.onEnd);
  return () => {
    endpoint.off('message', hearing.onBatch);
    for (const event of deathEvents) endpoint.off(event, hearing.onEnd);
    // A worker that fails while it goes would otherwise take the process with it.
    endpoint.on('error', () => {});
  };
}

/** Handles what the other end says. */
function receiver<Heard extends NoticeMap>(
  pending: PendingCalls,
  { onNotice, onError }: ThreadClientOptions<Heard>,
  onClosed: () => void,
): (batch: unknown) => void {
  function hear<Name extends keyof Heard>(message: NoticeMessage<Heard, Name>): void {
    try {
      onNotice?.[message.name](message.payload);
    } catch (error) {
      onError(error, String(message.name));
    }
  }

  function receive(message: Incoming<Heard>): void {
    if (message.kind === 'reply') pending.resolve(message.id, message.value);
    else if (message.kind === 'refusal') pending.reject(message.id, fromWireError(message.error));
    else if (message.kind === 'notice') hear(message);
    else if (message.kind === 'closed') onClosed();
    else assertNever(message);
  }

  return (batch) => {
    if (isBatch<Incoming<Heard>>(batch)) batch.forEach(receive);
  };
}

/** The asking end over a Worker or a MessagePort; it listens at once. */
export function connectThread<
  Calls extends CallMap,
  Said extends NoticeMap = Record<never, never>,
  Heard extends NoticeMap = Record<never, never>,
>(endpoint: Endpoint, options: ThreadClientOptions<Heard>): ThreadClient<Calls, Said> {
  const { name: thread } = options;
  const outbox = createOutbox<Outgoing<Calls, Said>>(endpoint);
  const pending = createPendingCalls(thread, options.timeoutMs);
  const closed = Promise.withResolvers<boolean>();
  let state: 'open' | 'closing' | 'dead' = 'open';

  function onEnd(cause: unknown): void {
    stopListening();
    const wasOpen = state === 'open';
    state = 'dead';
    const reason = gone(thread, cause);
    pending.rejectAll(reason);
    closed.resolve(false);
    if (wasOpen) options.onDeath(reason);
  }

  const onBatch = receiver(pending, options, () => closed.resolve(true));
  const stopListening = listen(endpoint, { onBatch, onEnd });

  async function finish(): Promise<boolean> {
    await pending.idle();
    outbox.post({ kind: 'close' });
    return closed.promise;
  }

  return {
    async call(name, payload, transfer) {
      if (state === 'closing') throw shuttingDown();
      if (state === 'dead') throw gone(thread, undefined);
      if (pending.count() >= options.maxOutstanding) throw busy(thread);
      const { id, answer } = pending.add<Calls[typeof name]['reply']>();
      outbox.post({ kind: 'call', id, name, payload }, transfer, (cause) =>
        pending.reject(id, unsendable(thread, cause)),
      );
      return answer;
    },
    notify(name, payload) {
      if (state !== 'open') return;
      outbox.post({ kind: 'notice', name, payload }, [], (error) => options.onError(error, String(name)));
    },
    outstanding: pending.count,
    async close(timeoutMs) {
      if (state === 'open') state = 'closing';
      const deadline = new AbortController();
      const late = sleep(timeoutMs, false, { signal: deadline.signal }).catch(() => false);
      const isDone = state !== 'dead' && (await Promise.race([finish(), late]));
      deadline.abort();
      stopListening();
      pending.rejectAll(shuttingDown());
      return isDone;
    },
  };
}
