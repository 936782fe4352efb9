// Owns the connections on which plain requests come: one request at a time, and Node's parser for all that is not plain.

import type { Socket } from 'node:net';
import { type Bag, type Bagged, createBag } from '../bag/bag.ts';
import { createTail, type Tail } from './answer-tail.ts';
import { type PlainCarrier, PlainExchange } from './plain-exchange.ts';
import { readPlainHead } from './request-head.ts';

export type PlainOptions = {
  /** Serves a request; false where it is not for it. */
  readonly serve: (exchange: PlainExchange) => boolean;
  /** Takes a connection over, with whatever of the next request was read put back into it. */
  readonly handOver: (socket: Socket) => void;
  /** Bytes of a head, and of a body, beyond which a request is not plain. */
  readonly headLimit: number;
  readonly bodyLimit: number;
  /** Milliseconds in which a new connection must send a head. */
  readonly headMs: number;
  /** Milliseconds in which a request must have come whole. */
  readonly wholeMs: number;
  /** Milliseconds that a connection may be without a request. */
  readonly idleMs: number;
  /** False once each answer is to end its connection. */
  readonly mayGoOn: () => boolean;
  /** An exchange begins, and ends. Each beginning has its end. */
  readonly onBegin: () => void;
  readonly onEnd: () => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export type PlainConnections = {
  /** Takes a connection. */
  readonly accept: (socket: Socket) => void;
  /** Ends those without a request. */
  readonly closeIdle: () => void;
  /** Ends all. */
  readonly closeAll: () => void;
};

const sweepMs = 1_000;

const tooSlow = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
const cutShort = 'HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
const nothing = Buffer.alloc(0);

/** What all connections share. */
type Shared = {
  readonly options: PlainOptions;
  readonly all: Bag<Connection>;
  readonly tail: Tail;
  /** Milliseconds, in sweeps. */
  readonly sweptMs: () => number;
};

class Connection implements PlainCarrier, Bagged {
  slot = -1;
  readonly #socket: Socket;
  readonly #shared: Shared;
  #exchange: PlainExchange | undefined;
  /** What came after the request that is being answered. */
  #rest: Buffer | undefined;
  #isFresh = true;
  /** Nothing more is read: what comes belongs to a request that was refused, or to none. */
  #isOver = false;
  #goesOn = true;
  /** When the present state began. */
  #since: number;
  readonly #onData = (chunk: Buffer): void => this.#data(chunk);
  readonly #onEnd = (): void => this.#halfClosed();
  readonly #onClose = (): void => this.#closed();
  readonly #onDrain = (): void => this.#drained();
  readonly #onTimeout = (): void => this.#timedOut();
  readonly #onOut = (error?: Error | null): void => this.#flushed(error);
  readonly tail: Tail;

  constructor(socket: Socket, shared: Shared) {
    this.#socket = socket;
    this.#shared = shared;
    this.#since = shared.sweptMs();
    this.tail = shared.tail;
    shared.all.add(this);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
    socket.on('timeout', this.#onTimeout);
    socket.on('error', ignore);
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes);
  }

  resume(): void {
    this.#socket.resume();
  }

  mayGoOn(): boolean {
    return this.#shared.options.mayGoOn();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  watch(ms: number): void {
    this.#socket.setTimeout(ms);
  }

  finish(goesOn: boolean, idleMs: number): void {
    if (this.#exchange === undefined) return;
    this.#goesOn = goesOn;
    if (!goesOn) this.#readNoMore();
    if (this.#socket.writableLength === 0) {
      this.#out();
      return;
    }
    // What the kernel has taken needs no watch; what waits in this process waits for the reader, and so does what follows.
    this.watch(idleMs);
    this.#socket.write(nothing, this.#onOut);
  }

  #flushed(error: Error | null | undefined): void {
    if (error !== undefined && error !== null) return;
    this.#socket.setTimeout(0);
    this.#out();
  }

  /** The answer has left this process: INVARIANT: until then its exchange counts, or a server that ends would cut it. */
  #out(): void {
    if (this.#exchange === undefined) return;
    this.#exchange = undefined;
    this.#shared.options.onEnd();
    this.#since = this.#shared.sweptMs();
    if (!this.#goesOn) this.#socket.destroySoon();
    // Not within the end of the one before: a long line of requests would be a deep one of calls.
    else if (this.#rest !== undefined) setImmediate(() => this.#goOn());
  }

  /** INVARIANT: what is left of a request that was not read whole is never read as the next one. */
  #readNoMore(): void {
    this.#isOver = true;
    this.#rest = undefined;
    this.#socket.pause();
  }

  /** The next request came before the one before was answered. */
  #goOn(): void {
    const rest = this.#rest;
    if (rest === undefined || this.#exchange !== undefined || !this.#socket.writable) return;
    this.#rest = undefined;
    this.#socket.resume();
    this.#begin(rest);
  }

  #data(chunk: Buffer): void {
    if (this.#isOver) return;
    const exchange = this.#exchange;
    if (exchange === undefined && this.#rest === undefined) {
      this.#begin(chunk);
      return;
    }
    const own = exchange?.missing() ?? 0;
    if (chunk.length > own) this.#keep(own === 0 ? chunk : chunk.subarray(own));
    if (own > 0) exchange?.take(chunk.length > own ? chunk.subarray(0, own) : chunk);
  }

  #keep(bytes: Buffer): void {
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#socket.pause();
  }

  /** Begins the request at the beginning of `chunk`, or gives the connection away with it. */
  #begin(chunk: Buffer): void {
    const { options } = this.#shared;
    const head = readPlainHead(chunk, options.headLimit);
    if (head === undefined || head.contentLength > options.bodyLimit) {
      this.#handOver(chunk);
      return;
    }
    const exchange = new PlainExchange(head, this);
    this.#exchange = exchange;
    this.#isFresh = false;
    this.#since = this.#shared.sweptMs();
    const restAt = head.bodyAt + head.contentLength;
    exchange.take(chunk.subarray(head.bodyAt, restAt));
    if (restAt < chunk.length) this.#keep(chunk.subarray(restAt));
    // INVARIANT: a body is taken only from whoever may send one.
    else if (!exchange.isComplete()) this.#socket.pause();
    options.onBegin();
    if (options.serve(exchange)) return;
    this.#exchange = undefined;
    options.onEnd();
    this.#handOver(chunk);
  }

  #handOver(chunk: Buffer): void {
    const socket = this.#socket;
    this.#rest = undefined;
    this.#shared.all.remove(this);
    socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    socket.off('drain', this.#onDrain).off('timeout', this.#onTimeout);
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(chunk);
    this.#shared.options.handOver(socket);
    socket.off('error', ignore);
    socket.resume();
  }

  /** As Node does: who sends no more is not answered, and a body that ends before its end is no request. */
  #halfClosed(): void {
    const exchange = this.#exchange;
    const isCut = exchange !== undefined && !exchange.isComplete() && !exchange.hasHead();
    if (isCut) this.#socket.end(cutShort);
    else this.#socket.end();
  }

  #drained(): void {
    this.#socket.setTimeout(0);
    this.#exchange?.drained();
  }

  /** Progress within what waits counts as taking: the socket looks at it before it tells. */
  #timedOut(): void {
    if (this.#socket.writableLength > 0) this.#socket.destroy();
    else this.#socket.setTimeout(0);
  }

  #closed(): void {
    this.#shared.all.remove(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#rest = undefined;
    if (exchange === undefined) return;
    this.#shared.options.onEnd();
    exchange.gone();
  }

  isIdle(): boolean {
    return this.#exchange === undefined && this.#rest === undefined;
  }

  /** Looks at how long the present state lasts. */
  sweep(): void {
    const { options } = this.#shared;
    const lastsMs = this.#shared.sweptMs() - this.#since;
    if (this.#exchange !== undefined) {
      if (!this.#exchange.isComplete() && lastsMs > options.wholeMs) this.#refuseSlow();
    } else if (this.#isFresh) {
      if (lastsMs > options.headMs) this.#refuseSlow();
    } else if (lastsMs > options.idleMs) this.#socket.destroy();
  }

  #refuseSlow(): void {
    this.#readNoMore();
    const hasAnswer = this.#exchange?.hasHead() ?? false;
    if (hasAnswer) this.#socket.destroy();
    else this.#socket.end(tooSlow, () => this.#socket.destroy());
  }
}

function ignore(): void {}

/** Connections of one server. A timer looks at how long they are idle; it does not keep the process alive. */
export function createPlainConnections(options: PlainOptions): PlainConnections {
  const all = createBag<Connection>();
  let sweptMs = 0;
  const shared = { options, all, tail: createTail(options.now), sweptMs: () => sweptMs };
  const timer = setInterval(() => {
    sweptMs += sweepMs;
    for (const connection of all.items()) connection.sweep();
  }, sweepMs);
  timer.unref();
  return {
    accept: (socket) => void new Connection(socket, shared),
    closeIdle: () => {
      for (const connection of all.items()) if (connection.isIdle()) connection.destroy();
    },
    closeAll: () => {
      for (const connection of all.items()) connection.destroy();
    },
  };
}
