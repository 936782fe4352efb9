// Owns the answering end of a thread port: it runs the handlers and lets only refusals cross.

import { AppError, assertNever } from '@countersign/core/errors';
import {
  type CallMap,
  type CallMessage,
  type ClosedMessage,
  type CloseMessage,
  createOutbox,
  type Endpoint,
  isBatch,
  type NoticeMap,
  type NoticeMessage,
  type Outbox,
  type ReplyMessage,
  toWireError,
} from './thread-messages.ts';

/** One function for each call. What it throws, if not an AppError, becomes `internal` and is reported. */
export type CallHandlers<Calls extends CallMap> = {
  readonly [Name in keyof Calls]: (
    payload: Calls[Name]['request'],
  ) => Calls[Name]['reply'] | Promise<Calls[Name]['reply']>;
};

export type ThreadServerOptions<Heard extends NoticeMap> = {
  readonly onNotice?: { readonly [Name in keyof Heard]: (payload: Heard[Name]) => void };
  /** Hears each unknown error with the call or notice that met it; the caller sees none of it. */
  readonly onError: (error: unknown, name: string) => void;
  /** Closes what the thread holds; runs once, when the asking end closes and no call is under way. */
  readonly onClose: () => void | Promise<void>;
};

export type ThreadServer<Said extends NoticeMap> = {
  /** Tells the asking end without waiting for an answer. */
  readonly notify: <Name extends keyof Said>(name: Name, payload: Said[Name]) => void;
};

type Incoming<Calls extends CallMap, Heard extends NoticeMap> =
  | CallMessage<Calls, keyof Calls>
  | NoticeMessage<Heard, keyof Heard>
  | CloseMessage;

type Outgoing<Said extends NoticeMap> = ReplyMessage | ClosedMessage | NoticeMessage<Said, keyof Said>;

/** Runs one call and posts its reply or its refusal. */
function answering<Calls extends CallMap>(
  outbox: Outbox<ReplyMessage>,
  handlers: CallHandlers<Calls>,
  onError: (error: unknown, name: string) => void,
): <Name extends keyof Calls>(message: CallMessage<Calls, Name>) => Promise<void> {
  function refuse(id: number, name: PropertyKey, error: unknown): void {
    if (!(error instanceof AppError)) onError(error, String(name));
    outbox.post({ kind: 'refusal', id, error: toWireError(error) });
  }

  return async ({ id, name, payload }) => {
    try {
      const value = await handlers[name](payload);
      outbox.post({ kind: 'reply', id, value }, [], (error) => refuse(id, name, error));
    } catch (error) {
      refuse(id, name, error);
    }
  };
}

/**
 * Answers over `parentPort` or a MessagePort. Calls start in the order of their arrival, and run together as far as
 * their handlers wait: what must not interleave takes turns in the handlers, as database transactions do.
 */
export function serveThread<
  Calls extends CallMap,
  Heard extends NoticeMap = Record<never, never>,
  Said extends NoticeMap = Record<never, never>,
>(
  endpoint: Endpoint,
  handlers: CallHandlers<Calls>,
  options: ThreadServerOptions<Heard>,
): ThreadServer<Said> {
  const outbox = createOutbox<Outgoing<Said>>(endpoint);

  const answer = answering(outbox, handlers, options.onError);

  function hear<Name extends keyof Heard>(message: NoticeMessage<Heard, Name>): void {
    try {
      options.onNotice?.[message.name](message.payload);
    } catch (error) {
      options.onError(error, String(message.name));
    }
  }

  async function close(): Promise<void> {
    endpoint.off('message', onBatch);
    try {
      await options.onClose();
    } catch (error) {
      options.onError(error, 'close');
    }
    outbox.post({ kind: 'closed' });
    outbox.flush();
  }

  function receive(message: Incoming<Calls, Heard>): unknown {
    switch (message.kind) {
      case 'call':
        return answer(message);
      case 'notice':
        return hear(message);
      case 'close':
        return close();
      default:
        return assertNever(message);
    }
  }

  function onBatch(batch: unknown): void {
    if (isBatch<Incoming<Calls, Heard>>(batch)) for (const message of batch) receive(message);
  }

  endpoint.on('message', onBatch);
  return {
    notify(name, payload) {
      outbox.post({ kind: 'notice', name, payload }, [], (error) => options.onError(error, String(name)));
    },
  };
}
