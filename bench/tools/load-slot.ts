// Owns one connection of the load generator, and what all of them count.

import { createConnection, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';

/** Everything that is counted; times in milliseconds of the monotonic clock. */
export function createTally(from: number, to: number, isOpen: boolean) {
  const latency: number[] = [];
  const firstBytes: number[] = [];
  const count = { total: 0, errors: 0, notOk: 0, lastBad: 0, events: 0, bytes: 0 };
  return {
    latency,
    firstBytes,
    count,
    onFirstByte(intended: number, at: number): void {
      if (intended >= from && at <= to) firstBytes.push((at - intended) * 1000);
    },
    onPayload(bytes: number, events: number, at: number): void {
      if (at < from || at > to) return;
      count.bytes += bytes;
      count.events += events;
    },
    onAnswer(intended: number, at: number, status: number): void {
      count.total += 1;
      if (at >= from && (status < 200 || status > 299)) {
        count.notOk += 1;
        count.lastBad = status;
      }
      if (intended >= from && (isOpen || at <= to)) latency.push((at - intended) * 1000);
    },
    onError(at: number): void {
      if (at >= from) count.errors += 1;
    },
  };
}

export type Tally = ReturnType<typeof createTally>;

export type SlotDeps = {
  readonly port: number;
  readonly tally: Tally;
  /** The bytes of the next request. */
  readonly render: () => string;
  /** Hears that the slot can send again; not after `end`. */
  readonly onFree: (slot: Slot) => void;
};

/** One connection: sends a request when told to, reads its answer, opens itself again when it breaks. */
export class Slot {
  readonly #deps: SlotDeps;
  readonly #reader: AnswerReader;
  #socket: Socket | undefined;
  #intended = 0;
  #isBusy = false;
  #hasEnded = false;
  #hasFirstByte = false;

  constructor(deps: SlotDeps) {
    this.#deps = deps;
    this.#reader = new AnswerReader({
      onPayload: (bytes, events) => this.#onPayload(bytes, events),
      onEnd: (status, isClosing) => this.#onAnswer(status, isClosing),
    });
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Sends a request that was due at `intended`. */
  send(intended: number): void {
    this.#intended = intended;
    this.#isBusy = true;
    this.#hasFirstByte = false;
    this.#socket ??= this.#connect();
    this.#socket.write(this.#deps.render());
  }

  end(): void {
    this.#hasEnded = true;
    this.#drop();
  }

  #onPayload(bytes: number, events: number): void {
    const at = performance.now();
    if (!this.#hasFirstByte) this.#deps.tally.onFirstByte(this.#intended, at);
    this.#hasFirstByte = true;
    this.#deps.tally.onPayload(bytes, events, at);
  }

  #onAnswer(status: number, isClosing: boolean): void {
    this.#deps.tally.onAnswer(this.#intended, performance.now(), status);
    if (isClosing) this.#drop();
    this.#free();
  }

  #free(): void {
    this.#isBusy = false;
    if (!this.#hasEnded) this.#deps.onFree(this);
  }

  #drop(): void {
    const old = this.#socket;
    this.#socket = undefined;
    old?.destroy();
  }

  #connect(): Socket {
    const fresh = createConnection({ port: this.#deps.port, host: '127.0.0.1', noDelay: true });
    const onLost = (): void => {
      if (this.#socket !== fresh) return;
      this.#socket = undefined;
      this.#reader.reset();
      if (!this.#isBusy || this.#hasEnded) return;
      this.#deps.tally.onError(performance.now());
      // A server that refuses connections must not be asked in a busy loop.
      setTimeout(() => this.#free(), 1);
    };
    return fresh
      .on('data', (bytes) => this.#reader.push(bytes))
      .on('error', onLost)
      .on('close', onLost);
  }
}
