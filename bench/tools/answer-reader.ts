// Owns the reading of HTTP/1.1 answers off a connection: where each ends, and the events in its payload.

export type AnswerListener = {
  /** A piece of payload, with how many events (empty lines) end in it. */
  readonly onPayload: (bytes: number, events: number) => void;
  /** The answer is complete; `isClosing` when the server ends the connection with it. */
  readonly onEnd: (status: number, isClosing: boolean) => void;
};

const newline = 10;
const carriageReturn = 13;

/** Reads answers with a length or in chunks; one without either counts as empty. Trailers are not expected. */
export class AnswerReader {
  readonly #listener: AnswerListener;
  #head = '';
  #status = 0;
  #isClosing = false;
  /** Bytes of payload that are still to come, of the body or of this chunk. */
  #left = 0;
  #isChunked = false;
  #stage: 'head' | 'size' | 'data' | 'after' | 'last' = 'head';
  #sizeText = '';
  #isAfterNewline = false;

  constructor(listener: AnswerListener) {
    this.#listener = listener;
  }

  /** Takes bytes as they came; calls the listener before it returns. */
  push(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(this.#step(rest));
  }

  /** Forgets an answer that will not be completed. */
  reset(): void {
    this.#head = '';
    this.#sizeText = '';
    this.#stage = 'head';
    this.#isAfterNewline = false;
  }

  #finish(): void {
    this.reset();
    this.#listener.onEnd(this.#status, this.#isClosing);
  }

  #step(bytes: Buffer): number {
    switch (this.#stage) {
      case 'head':
        return this.#readHead(bytes);
      case 'size':
        return this.#readSize(bytes);
      case 'data':
        return this.#readData(bytes);
      default:
        return this.#skipLine(bytes);
    }
  }

  #readHead(bytes: Buffer): number {
    const before = this.#head.length;
    this.#head += bytes.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return bytes.length;
    const lines = this.#head.slice(0, end).toLowerCase();
    this.#status = Number(lines.slice(9, 12));
    this.#isClosing = lines.includes('\r\nconnection: close');
    this.#isChunked = lines.includes('\r\ntransfer-encoding: chunked');
    this.#left = this.#isChunked ? 0 : Number(/\r\ncontent-length: *(\d+)/.exec(lines)?.[1] ?? 0);
    this.#stage = this.#isChunked ? 'size' : 'data';
    if (!this.#isChunked && this.#left === 0) {
      this.#listener.onPayload(0, 0);
      this.#finish();
    }
    return end + 4 - before;
  }

  #readSize(bytes: Buffer): number {
    const end = bytes.indexOf(newline);
    this.#sizeText += bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
    if (end < 0) return bytes.length;
    this.#left = Number.parseInt(this.#sizeText, 16);
    this.#sizeText = '';
    this.#stage = this.#left === 0 ? 'last' : 'data';
    return end + 1;
  }

  #readData(bytes: Buffer): number {
    const taken = bytes.subarray(0, this.#left);
    this.#left -= taken.length;
    this.#listener.onPayload(taken.length, this.#eventsIn(taken));
    if (this.#left === 0) {
      if (this.#isChunked) this.#stage = 'after';
      else this.#finish();
    }
    return taken.length;
  }

  #skipLine(bytes: Buffer): number {
    const end = bytes.indexOf(newline);
    if (end < 0) return bytes.length;
    if (this.#stage === 'last') this.#finish();
    else this.#stage = 'size';
    return end + 1;
  }

  #eventsIn(bytes: Buffer): number {
    let events = 0;
    for (const byte of bytes) {
      if (byte === newline) {
        if (this.#isAfterNewline) events += 1;
        this.#isAfterNewline = !this.#isAfterNewline;
      } else if (byte !== carriageReturn) this.#isAfterNewline = false;
    }
    return events;
  }
}
