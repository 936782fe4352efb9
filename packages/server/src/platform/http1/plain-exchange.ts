// Owns one plain request and its answer: the body as it comes, and the framing of what goes back.

import type { Tail } from './answer-tail.ts';
import { isText } from './characters.ts';
import { type Head, headLength, putHead, putText } from './head-bytes.ts';
import type { PlainHead } from './request-head.ts';

// INVARIANT: not by `import`, which would load Node's own fetch with it: see compose/http-server.ts.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** What an exchange needs of its connection. */
export type PlainCarrier = {
  /** The other side's address; undefined if it is gone. */
  readonly remoteAddress: string | undefined;
  /** False: wait for `onDrain`. */
  readonly write: (bytes: Buffer) => boolean;
  /** Takes more of the request's body from now on. */
  readonly resume: () => void;
  /** True while the connection may carry another request after this one. */
  readonly mayGoOn: () => boolean;
  /** The answer is complete. Once it is out the connection goes on, or ends; its client may take nothing for `idleMs`. */
  readonly finish: (goesOn: boolean, idleMs: number) => void;
  /** Ends the connection when its client takes nothing for so long, in milliseconds, while something waits for it. */
  readonly watch: (ms: number) => void;
  /** The end of a head. */
  readonly tail: Tail;
};

/** What hears of a body that is still coming. */
export type BodyListener = {
  /** More has come. */
  readonly onPart: () => void;
  readonly onWhole: (body: Uint8Array) => void;
  /** The client went before its end. */
  readonly onTorn: () => void;
};

/** Bytes up to which a head and what follows it are put together: one write instead of two. */
const mostJoined = 64 * 1024;

/** Statuses whose answers have no body (RFC 9110 section 6.4.1). */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

type Framing = 'length' | 'chunked' | 'none';

function isContentLength(name: string): boolean {
  return name.length === 14 && name.toLowerCase() === 'content-length';
}

/** One request and its answer. A class because each request makes one. */
export class PlainExchange {
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly contentLength: number;
  readonly #names: readonly string[];
  readonly #carrier: PlainCarrier;
  #parts: Buffer[] | undefined;
  #body: Buffer | undefined;
  #missing: number;
  #listener: BodyListener | undefined;
  #head: Head | undefined;
  #framing: Framing = 'length';
  #goesOn = true;
  #hasHead = false;
  #isEnded = false;
  #isGone = false;
  #onGone: (() => void)[] | undefined;
  #onDrain: (() => void) | undefined;

  /** `chunk` holds the head, and of the body what came with it. */
  constructor(head: PlainHead, carrier: PlainCarrier) {
    this.target = head.target;
    this.rawHeaders = head.rawHeaders;
    this.contentLength = head.contentLength;
    this.#names = head.names;
    this.#carrier = carrier;
    this.#missing = head.contentLength;
  }

  get remoteAddress(): string | undefined {
    return this.#carrier.remoteAddress;
  }

  /** The value of a header; `name` in lower case. */
  header(name: string): string | undefined {
    const at = this.#names.indexOf(name);
    return at < 0 ? undefined : this.rawHeaders[2 * at + 1];
  }

  /** How many bytes of the body have not come yet. */
  missing(): number {
    return this.#missing;
  }

  /** Takes bytes of the body from the connection, at most as many as are missing. */
  take(bytes: Buffer): void {
    this.#missing -= bytes.length;
    if (this.#missing === 0 && this.#parts === undefined) this.#body = bytes;
    else if (bytes.length > 0) {
      this.#parts ??= [];
      this.#parts.push(bytes);
    }
    if (this.#missing > 0) this.#listener?.onPart();
    else this.#listener?.onWhole(this.#whole());
  }

  isComplete(): boolean {
    return this.#missing === 0;
  }

  #whole(): Uint8Array {
    this.#body ??= Buffer.concat(this.#parts ?? []);
    this.#parts = undefined;
    return this.#body;
  }

  /** The body, if it is there. */
  body(): Uint8Array | undefined {
    return this.isComplete() ? this.#whole() : undefined;
  }

  /** Reads on. Until then the connection takes nothing of a body that did not come with its head. */
  readBody(listener: BodyListener): void {
    this.#listener = listener;
    if (this.#isGone) listener.onTorn();
    else this.#carrier.resume();
  }

  hasHead(): boolean {
    return this.#hasHead;
  }

  isGone(): boolean {
    return this.#isGone;
  }

  /** Calls back if the client goes before the answer is complete. */
  onGone(listener: () => void): void {
    if (this.#isGone) listener();
    else if (this.#onGone === undefined) this.#onGone = [listener];
    else this.#onGone.push(listener);
  }

  /** Calls back once when more may be written; ends the connection if its client takes nothing for `idleMs`. */
  onDrain(listener: () => void, idleMs: number): void {
    this.#carrier.watch(idleMs);
    this.#onDrain = listener;
  }

  /**
   * Begins the answer. Names and values alternate; `length` is that of the body, if it is known. Without it, and without
   * a `content-length`, the body is chunked. Throws a TypeError for a value that would be more than one header.
   */
  head(status: number, headers: readonly string[], length?: number): void {
    if (this.#hasHead || this.#isGone) return;
    let hasLength = length !== undefined;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] ?? '';
      if (!isText(headers[i + 1] ?? ''))
        throw new TypeError(`the header \`${name}\` has a character that none has`);
      if (isContentLength(name)) hasLength = true;
    }
    this.#framing = isBodiless(status) ? 'none' : hasLength ? 'length' : 'chunked';
    // What is left of a request that was not read would be taken for the next one.
    this.#goesOn = this.isComplete() && this.#carrier.mayGoOn();
    const tail = this.#carrier.tail(this.#goesOn, this.#framing === 'chunked');
    this.#head = {
      first: `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`,
      headers,
      last: length === undefined ? tail : `content-length: ${length}\r\n${tail}`,
    };
    this.#hasHead = true;
  }

  /** False: wait for `onDrain` before more. */
  write(bytes: Uint8Array): boolean {
    if (this.#isGone || this.#isEnded || bytes.length === 0) return true;
    return this.#send(bytes, false);
  }

  /** Completes the answer with these bytes; ends the connection if its client takes nothing of it for `idleMs`. */
  end(bytes: Uint8Array | undefined, idleMs: number): void {
    if (this.#isGone || this.#isEnded) return;
    this.#isEnded = true;
    this.#send(bytes, true);
    this.#carrier.finish(this.#goesOn, idleMs);
  }

  /** Told by the connection: what waited is out. */
  drained(): void {
    const listener = this.#onDrain;
    this.#onDrain = undefined;
    listener?.();
  }

  /** Told by the connection: it is closed. */
  gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (this.#missing > 0) this.#listener?.onTorn();
    if (!this.#isEnded) for (const listener of this.#onGone ?? []) listener();
  }

  /** Writes the head if it has not left yet, then `bytes` in their frame. */
  #send(bytes: Uint8Array | undefined, isLast: boolean): boolean {
    const head = this.#head;
    this.#head = undefined;
    const isChunked = this.#framing === 'chunked';
    const length = bytes === undefined || this.#framing === 'none' ? 0 : bytes.length;
    const before = isChunked && length > 0 ? `${length.toString(16)}\r\n` : '';
    const after = isChunked ? (length > 0 ? '\r\n' : '') + (isLast ? '0\r\n\r\n' : '') : '';
    if (bytes !== undefined && length > mostJoined) {
      this.#put(head, before, undefined, '');
      const isTaken = this.#carrier.write(Buffer.from(bytes.buffer, bytes.byteOffset, length));
      return after === '' ? isTaken : this.#put(undefined, after, undefined, '');
    }
    return this.#put(head, before, length === 0 ? undefined : bytes, after);
  }

  /** Writes what there is of these, in one piece. */
  #put(head: Head | undefined, before: string, bytes: Uint8Array | undefined, after: string): boolean {
    const total =
      (head === undefined ? 0 : headLength(head)) + before.length + (bytes?.length ?? 0) + after.length;
    if (total === 0) return true;
    const all = Buffer.allocUnsafe(total);
    let at = head === undefined ? 0 : putHead(all, 0, head);
    at = putText(all, at, before);
    if (bytes !== undefined) {
      all.set(bytes, at);
      at += bytes.length;
    }
    putText(all, at, after);
    return this.#carrier.write(all);
  }
}
