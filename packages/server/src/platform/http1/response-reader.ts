// Owns reading answers off a connection, however they are cut: where heads, bodies and messages end.

import { isTextCode } from './characters.ts';
import { ChunkFraming } from './chunk-framing.ts';
import { ProtocolError, type ProtocolErrorKind } from './protocol-error.ts';
import { emptyHead, readHead } from './response-head.ts';

/** Takes an answer: `onHead`, `onBody` any number of times, then one of the others. */
export type ResponseSink = {
  /** A final status and a flat list with lower-case names. False: nothing more now. */
  onHead(status: number, headers: readonly string[]): boolean;
  /** A view of what was read. False: nothing more now. */
  onBody(chunk: Uint8Array): boolean;
  onComplete(): void;
  onBroken(error: ProtocolError): void;
};

/** Bytes of a head with its empty line; and of trailers and chunk extensions in all. */
export const maxHead = 32 * 1024;

/** Interim answers (RFC 9110 section 15.2) prolong the wait for the true one, so they are bounded. */
const maxInterim = 8;

const start = [...'HTTP/1.'].map((character) => character.charCodeAt(0));

/** Where the reader is. */
const inHead = 0;
const inBody = 1;
const inChunk = 2;
const inFraming = 3;
const isWhole = 4;
const isOver = 5;

/** Within a line of the head; after its CR; after its LF; after the CR of the empty line. */
const inLine = 0;
const afterCr = 1;
const afterLf = 2;
const afterEmptyCr = 3;

/** Offsets below zero stop the reading of a chunk: no end of a head yet, or nothing more to be read now. */
const stopped = -1;

/**
 * Reads one answer after the other, strictly by RFC 9112: what two readers could take for two things is refused.
 * Pure but for its own place in the bytes. Each `begin` is followed by `read`s until the sink has heard an ending.
 */
export class ResponseReader {
  readonly #head = emptyHead();
  readonly #framing = new ChunkFraming(maxHead);
  #place = isOver;
  #line = inLine;
  /** Bytes of the head that were read, and where they are if its end was not among them. */
  #size = 0;
  #begun: Buffer | undefined;
  #left = 0;
  #interim = 0;
  #isHeadAnswer = false;
  #isReusable = false;
  #held: Buffer | undefined;

  /** Ready for the answer to the next request; `isHeadAnswer`: it was HEAD, whose answer has no body. */
  begin(isHeadAnswer: boolean): void {
    this.#isHeadAnswer = isHeadAnswer;
    this.#interim = 0;
    this.#isReusable = false;
    this.#held = undefined;
    this.#beginHead();
  }

  /** True after a whole answer behind which another one may come. */
  get isReusable(): boolean {
    return this.#isReusable;
  }

  /** Seconds for which the server keeps the connection, as the last answer says; -1 if it does not. */
  get keepAlive(): number {
    return this.#head.keepAlive;
  }

  /** True while the sink has asked for nothing more and there is something, if only the end. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  read(chunk: Buffer, sink: ResponseSink): void {
    if (this.#held === undefined) this.#run(chunk, sink);
    else this.#held = Buffer.concat([this.#held, chunk]);
  }

  /** Goes on with what was held. */
  go(sink: ResponseSink): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#run(held, sink);
  }

  /**
   * Nothing more comes. True if that was the end of the answer, which the sink has heard; else it is for the caller
   * to say. `invalid` where the server has announced that it would close, and closed too early.
   */
  end(sink: ResponseSink): boolean {
    if (this.#place === inBody && this.#left === Number.POSITIVE_INFINITY) {
      this.#place = isOver;
      sink.onComplete();
      return true;
    }
    if (this.#place === inHead || this.#place === isOver || !this.#head.isLast) return false;
    this.#refuse(sink, 'invalid', 'it ends before its end');
    return true;
  }

  #run(chunk: Buffer, sink: ResponseSink): void {
    let at = 0;
    while (this.#place !== isWhole) {
      if (at === chunk.length) return;
      if (this.#place === inHead) at = this.#readHead(chunk, at, sink);
      else if (this.#place === inFraming) at = this.#readFraming(chunk, at, sink);
      else if (this.#place !== isOver) at = this.#readBody(chunk, at, sink);
      else return;
      if (at < 0) return;
    }
    // Bytes that nobody asked for: whose they are cannot be known.
    if (at < chunk.length) this.#isReusable = false;
    this.#place = isOver;
    sink.onComplete();
  }

  #beginHead(): void {
    this.#place = inHead;
    this.#line = inLine;
    this.#size = 0;
    this.#begun = undefined;
  }

  #refuse(sink: ResponseSink, kind: ProtocolErrorKind, why: string): number {
    this.#place = isOver;
    this.#isReusable = false;
    sink.onBroken(new ProtocolError(kind, `the answer is not as HTTP/1.1 frames it: ${why}`));
    return stopped;
  }

  #hold(chunk: Buffer, at: number): number {
    this.#held = chunk.subarray(at);
    return stopped;
  }

  /** The offset behind the head's empty line, or -1 where it has not come. Undefined: what came is refused. */
  #findEnd(chunk: Buffer, from: number): number | undefined {
    const to = Math.min(chunk.length, from + maxHead - this.#size);
    let line = this.#line;
    for (let at = from; at < to; at += 1) {
      const byte = chunk[at] ?? 0;
      if (isTextCode(byte)) {
        if (line === afterCr || line === afterEmptyCr) return undefined;
        line = inLine;
      } else if (byte === 0x0d) {
        if (line === inLine) line = afterCr;
        else if (line === afterLf) line = afterEmptyCr;
        else return undefined;
      } else if (byte !== 0x0a) return undefined;
      else if (line === afterCr) line = afterLf;
      else return line === afterEmptyCr ? at + 1 : undefined;
    }
    this.#line = line;
    return stopped;
  }

  /** What does not begin as an answer is told at once, however little of it has come. */
  #isStart(chunk: Buffer, from: number): boolean {
    for (let at = this.#size; at < start.length && from + at - this.#size < chunk.length; at += 1) {
      if (chunk[from + at - this.#size] !== start[at]) return false;
    }
    return true;
  }

  /** The head's text without its empty line, after what came of it before. */
  #textUntil(chunk: Buffer, from: number, end: number): string {
    if (this.#begun === undefined) return chunk.toString('latin1', from, end - 2);
    chunk.copy(this.#begun, this.#size, from, end);
    return this.#begun.toString('latin1', 0, this.#size + end - from - 2);
  }

  #keepBegun(chunk: Buffer, from: number, sink: ResponseSink): number {
    if (this.#size + chunk.length - from >= maxHead)
      return this.#refuse(sink, 'too_large', 'its head has no end');
    this.#begun ??= Buffer.allocUnsafe(maxHead);
    this.#size += chunk.copy(this.#begun, this.#size, from);
    return stopped;
  }

  #readHead(chunk: Buffer, from: number, sink: ResponseSink): number {
    if (!this.#isStart(chunk, from)) return this.#refuse(sink, 'invalid', 'it does not begin with HTTP/1');
    const end = this.#findEnd(chunk, from);
    if (end === undefined) return this.#refuse(sink, 'invalid', 'its head has a control character');
    if (end < 0) return this.#keepBegun(chunk, from, sink);
    const wrong = readHead(this.#textUntil(chunk, from, end), this.#head);
    if (wrong !== undefined) return this.#refuse(sink, 'invalid', wrong);
    if (this.#head.status < 200) return this.#passInterim(end, sink);
    this.#frame();
    return sink.onHead(this.#head.status, this.#head.headers) ? end : this.#hold(chunk, end);
  }

  #passInterim(end: number, sink: ResponseSink): number {
    this.#interim += 1;
    const { status } = this.#head;
    // Nobody sent `expect` or `upgrade`.
    if (status <= 101) return this.#refuse(sink, 'invalid', `nobody asked for its status ${status}`);
    if (this.#head.isLast) return this.#refuse(sink, 'invalid', 'an interim answer is its last');
    if (this.#interim > maxInterim) return this.#refuse(sink, 'invalid', 'too many interim answers');
    this.#beginHead();
    return end;
  }

  /** RFC 9112 section 6.3: where the body ends. */
  #frame(): void {
    const { status, length, isChunked } = this.#head;
    this.#begun = undefined;
    this.#isReusable = !this.#head.isLast;
    if (this.#isHeadAnswer || status === 204 || status === 304) {
      // A server that frames what cannot be there may send it too.
      if (length > 0 || isChunked) this.#isReusable = false;
      this.#place = isWhole;
    } else if (isChunked) {
      this.#framing.begin();
      this.#place = inFraming;
    } else if (length === -1) {
      this.#head.isLast = true;
      this.#isReusable = false;
      this.#left = Number.POSITIVE_INFINITY;
      this.#place = inBody;
    } else {
      this.#left = length;
      this.#place = length === 0 ? isWhole : inBody;
    }
  }

  #readBody(chunk: Buffer, at: number, sink: ResponseSink): number {
    const end = this.#left < chunk.length - at ? at + this.#left : chunk.length;
    this.#left -= end - at;
    if (this.#left === 0) this.#place = this.#place === inBody ? isWhole : inFraming;
    const piece = end - at === chunk.length ? chunk : chunk.subarray(at, end);
    return sink.onBody(piece) ? end : this.#hold(chunk, end);
  }

  #readFraming(chunk: Buffer, from: number, sink: ResponseSink): number {
    const at = this.#framing.read(chunk, from);
    const { refused, chunkLength, isEnd } = this.#framing;
    if (refused !== undefined) return this.#refuse(sink, refused, 'its chunks');
    if (isEnd) this.#place = isWhole;
    else if (chunkLength > 0) {
      this.#left = chunkLength;
      this.#place = inChunk;
    }
    return at;
  }
}
