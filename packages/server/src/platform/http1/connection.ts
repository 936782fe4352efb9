// Owns one connection to a server: its socket, whose exchange it carries now, and when it is over.

import type { Socket } from 'node:net';
import { type Head, headLength, putHead } from './head-bytes.ts';
import { expectsBody } from './outgoing-head.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';

/** Opens a socket within so many milliseconds. Never calls back before it has returned. */
export type Dial = (
  timeoutMs: number,
  onDialled: (error: Error | null, socket: Socket | null) => void,
) => void;

/** Whose exchange it is. After `onComplete` or `onBroken` none of these is called; none is called by a method. */
export type ConnectionUser = Omit<ResponseSink, 'onBroken'> & {
  /** The moment to write. At most once. */
  onReady(): void;
  /** There is no connection any more, or what it brings is no answer. */
  onBroken(error: unknown): void;
};

/** Where connections rest between exchanges. */
export type ConnectionOwner = {
  /** False: there are enough of them. */
  keep(connection: Connection): boolean;
  forget(connection: Connection): void;
};

/** How long a connection rests if its server says nothing, and at most, in milliseconds. */
const defaultIdleMs = 4_000;
const maxIdleMs = 60_000;
/** What a server says, less the time for which its word is under way. */
const marginMs = 2_000;

/** Bytes of a body up to which it is copied behind its head: one write costs less than the copy, two cost more. */
const maxCopied = 2_048;

/** No socket yet, or not any more. */
const isDialling = 0;
/** It has a user who must not write yet: see `begin`. */
const isWaiting = 1;
const isBusy = 2;
const isIdle = 3;
const isDead = 4;

/**
 * A connection for one exchange after the other, over one socket or, where that was lost before the next request was
 * written, over another.
 *
 * INVARIANT: a request is written once. What breaks from then on is for whoever sent it to judge.
 */
export class Connection {
  readonly #dial: Dial;
  readonly #owner: ConnectionOwner;
  readonly #reader = new ResponseReader();
  /** The moment of `performance.now()` until which it may rest: while it does, its owner may bring it forward. */
  idleUntil = 0;
  /** When it began to rest, in its owner's words. */
  idleFrom = 0;
  #state = isDialling;
  #user: ConnectionUser | undefined;
  #socket: Socket | undefined;
  #timeoutMs = 0;
  #isLast = false;
  /** It ended while its user had paused, and this is how. */
  #ending: { readonly error: Error | undefined } | undefined;

  constructor(dial: Dial, owner: ConnectionOwner) {
    this.#dial = dial;
    this.#owner = owner;
  }

  get destroyed(): boolean {
    return this.#state === isDead;
  }

  /** Opens it for a first user: `onReady` follows, or `onBroken`. */
  open(user: ConnectionUser, connectTimeoutMs: number): void {
    this.#user = user;
    this.#timeoutMs = connectTimeoutMs;
    this.#connect();
  }

  /**
   * Gives it, while it is idle, to a user. Whoever calls this calls `begin` when the loop has read its sockets since it
   * became idle, and not before they have what `acquire` returns.
   */
  take(user: ConnectionUser, connectTimeoutMs: number): void {
    this.#user = user;
    this.#timeoutMs = connectTimeoutMs;
    this.#state = isWaiting;
  }

  /**
   * Ends the wait of `take`. It is there so that what arrived while nobody waited for an answer is seen first: bytes
   * that would become this user's answer, or the end (undici's GHSA-35p6-xmwp-9g52).
   */
  begin(): void {
    if (this.#state !== isWaiting) return;
    this.#state = isBusy;
    this.#user?.onReady();
  }

  /** Writes a request, from `onReady`. */
  write(method: string, head: Head, body: Uint8Array | null): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#reader.begin(method === 'HEAD');
    const length = body === null ? 0 : body.length;
    // A server that expects no body may leave it unread, and take it for the next request.
    this.#isLast = method === 'HEAD' || (length > 0 && !expectsBody(method));
    const copied = length <= maxCopied ? length : 0;
    const bytes = Buffer.allocUnsafe(headLength(head) + copied);
    const bodyAt = putHead(bytes, 0, head);
    if (body === null || length === copied) {
      if (body !== null) bytes.set(body, bodyAt);
      socket.write(bytes);
    } else {
      socket.cork();
      socket.write(bytes);
      socket.write(body);
      socket.uncork();
    }
  }

  pause(): void {
    if (this.#state === isBusy) this.#socket?.pause();
  }

  /** Goes on within the call, so never from a user's own `resume`. */
  resume(): void {
    const user = this.#user;
    if (this.#state !== isBusy || user === undefined) return;
    // It flows from the next tick on, unless it is paused again.
    this.#socket?.resume();
    this.#guard(user, undefined);
    if (this.#ending !== undefined && this.#user === user && !this.#reader.isHolding)
      this.#end(this.#ending.error);
  }

  /** Ends its exchange after a whole answer: it rests, or is closed where another answer cannot be trusted. */
  release(): void {
    if (this.#state !== isBusy) return;
    this.#user = undefined;
    const said = this.#reader.keepAlive;
    const idleMs = said < 0 ? defaultIdleMs : Math.min(said * 1_000 - marginMs, maxIdleMs);
    const isKept =
      this.#reader.isReusable &&
      !this.#isLast &&
      this.#ending === undefined &&
      idleMs > 0 &&
      // An answer that came before the request was out.
      this.#socket?.writableLength === 0;
    this.#state = isIdle;
    this.idleUntil = performance.now() + idleMs;
    if (!isKept || !this.#owner.keep(this)) this.destroy();
  }

  /** Closes it, whatever it does. Its user hears nothing. */
  destroy(): void {
    if (this.#state === isDead) return;
    this.#state = isDead;
    this.#user = undefined;
    this.#drop();
    this.#owner.forget(this);
  }

  /** Closes it, and tells its user; resolves when the socket is closed. */
  close(error: Error): Promise<void> {
    const socket = this.#socket;
    this.#break(error);
    return new Promise((resolve) => {
      if (socket === undefined || socket.closed) resolve();
      else socket.once('close', () => resolve());
    });
  }

  #connect(): void {
    this.#state = isDialling;
    this.#dial(this.#timeoutMs, (error, socket) => {
      if (this.#state !== isDialling) socket?.destroy();
      else if (socket === null) this.#break(error);
      else if (socket.destroyed) this.#break(new Error('the connection was closed at its start'));
      else this.#adopt(socket);
    });
  }

  /** Listens once for all exchanges of the socket. */
  #adopt(socket: Socket): void {
    this.#socket = socket;
    this.#ending = undefined;
    // What is idle keeps no process alive; an exchange has its deadline, or a client who waits.
    socket.unref();
    socket.on('data', (chunk: Buffer) => this.#read(socket, chunk));
    socket.on('end', () => this.#lose(socket, undefined));
    socket.on('error', (error) => this.#lose(socket, error));
    socket.on('close', () => this.#lose(socket, undefined));
    this.#state = isBusy;
    this.#user?.onReady();
  }

  #read(socket: Socket, chunk: Buffer): void {
    if (socket !== this.#socket) return;
    const user = this.#user;
    if (this.#state === isBusy && user !== undefined) this.#guard(user, chunk);
    // Bytes that nobody asked for.
    else this.#lose(socket, undefined);
  }

  /** An error in a user's own code ends their exchange, and not the process. */
  #guard(user: ConnectionUser, chunk: Buffer | undefined): void {
    try {
      if (chunk === undefined) this.#reader.go(user);
      else this.#reader.read(chunk, user);
    } catch (error) {
      if (this.#user === user) this.#break(error);
    }
  }

  /** The socket has ended, or must. */
  #lose(socket: Socket, error: Error | undefined): void {
    if (socket !== this.#socket) return;
    if (this.#state === isBusy) this.#end(error);
    else if (this.#state === isWaiting) {
      this.#drop();
      this.#connect();
    } else this.destroy();
  }

  #end(error: Error | undefined): void {
    const user = this.#user;
    if (user === undefined) {
      this.destroy();
      return;
    }
    if (this.#reader.isHolding) {
      this.#ending ??= { error };
      return;
    }
    // A reset is how some servers close.
    const isClosed = error === undefined || ('code' in error && error.code === 'ECONNRESET');
    try {
      if (isClosed && this.#reader.end(user)) return;
    } catch (thrown) {
      if (this.#user === user) this.#break(thrown);
      return;
    }
    this.#break(error ?? new Error('the connection was closed before the end of an answer'));
  }

  #break(error: unknown): void {
    const user = this.#user;
    this.destroy();
    user?.onBroken(error);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}
