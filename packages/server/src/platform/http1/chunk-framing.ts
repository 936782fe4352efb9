// Owns what stands between the chunks of a body (RFC 9112 section 7.1): sizes, extensions, trailers, the end.

import { isTextCode, isTokenCode } from './characters.ts';
import type { ProtocolErrorKind } from './protocol-error.ts';

/** Hexadecimal digits of a size that a number holds exactly. */
const maxDigits = 12;

const inSize = 0;
const atExtension = 1;
const atSizeLf = 2;
const atData = 3;
const atDataCr = 4;
const atDataLf = 5;
const atTrailer = 6;
const inTrailerName = 7;
const inTrailerValue = 8;
const atTrailerLf = 9;
const atLastLf = 10;
const atEnd = 11;
const isWrong = 12;
const inExtension = 13;
const atExtensionValue = 14;
const inExtensionValue = 15;
const inQuotes = 16;
const afterBackslash = 17;
const afterQuotes = 18;

function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** `;name`, `;name=value` and `;name="value"`, of which nobody here knows any. */
function nextInExtension(place: number, byte: number): number {
  if (place === afterBackslash) return isTextCode(byte) ? inQuotes : isWrong;
  if (place === inQuotes) {
    if (byte === 0x5c) return afterBackslash;
    if (byte === 0x22) return afterQuotes;
    return isTextCode(byte) ? inQuotes : isWrong;
  }
  if (place !== afterQuotes && isTokenCode(byte)) {
    return place === atExtension || place === inExtension ? inExtension : inExtensionValue;
  }
  if (place === atExtensionValue) return byte === 0x22 ? inQuotes : isWrong;
  if (place === atExtension) return isWrong;
  if (byte === 0x0d) return atSizeLf;
  if (byte === 0x3b) return atExtension;
  return byte === 0x3d && place === inExtension ? atExtensionValue : isWrong;
}

/** Reads framing byte by byte and stops where data begin; extensions and trailers are dropped, within a bound. */
export class ChunkFraming {
  readonly #maxDropped: number;
  #place = inSize;
  #digits = 0;
  #length = 0;
  #dropped = 0;

  constructor(maxDropped: number) {
    this.#maxDropped = maxDropped;
  }

  /** Before the first chunk of a body. */
  begin(): void {
    this.#place = inSize;
    this.#digits = 0;
    this.#length = 0;
    this.#dropped = 0;
  }

  /** Bytes of the chunk whose data come next; 0 where they do not. */
  get chunkLength(): number {
    return this.#place === atData ? this.#length : 0;
  }

  get isEnd(): boolean {
    return this.#place === atEnd;
  }

  get refused(): ProtocolErrorKind | undefined {
    if (this.#dropped > this.#maxDropped) return 'too_large';
    return this.#place === isWrong ? 'invalid' : undefined;
  }

  /** Reads from `from`, which is behind the data if they were next, and returns where it stopped. */
  read(chunk: Buffer, from: number): number {
    if (this.#place === atData) this.#place = atDataCr;
    for (let at = from; at < chunk.length; at += 1) {
      this.#place = this.#next(chunk[at] ?? 0);
      if (
        this.#place === atData ||
        this.#place === atEnd ||
        this.#place === isWrong ||
        this.#dropped > this.#maxDropped
      )
        return at + 1;
    }
    return chunk.length;
  }

  #next(byte: number): number {
    switch (this.#place) {
      case inSize:
        return this.#nextInSize(byte);
      case atSizeLf:
        if (byte !== 0x0a) return isWrong;
        return this.#length === 0 ? atTrailer : atData;
      case atDataCr:
        return byte === 0x0d ? atDataLf : isWrong;
      case atDataLf:
        this.#digits = 0;
        this.#length = 0;
        return byte === 0x0a ? inSize : isWrong;
      case atTrailer:
      case inTrailerName:
      case inTrailerValue:
      case atTrailerLf:
      case atLastLf:
        return this.#nextInTrailers(byte);
      default:
        return this.#drop(nextInExtension(this.#place, byte));
    }
  }

  #nextInSize(byte: number): number {
    const digit = digitOf(byte);
    if (digit >= 0) {
      this.#digits += 1;
      this.#length = this.#length * 16 + digit;
      return this.#digits > maxDigits ? isWrong : inSize;
    }
    if (this.#digits === 0) return isWrong;
    if (byte === 0x3b) return this.#drop(atExtension);
    return byte === 0x0d ? atSizeLf : isWrong;
  }

  #nextInTrailers(byte: number): number {
    switch (this.#place) {
      case atTrailer:
        if (byte === 0x0d) return atLastLf;
        return this.#drop(isTokenCode(byte) ? inTrailerName : isWrong);
      case inTrailerName:
        return this.#drop(byte === 0x3a ? inTrailerValue : isTokenCode(byte) ? inTrailerName : isWrong);
      case inTrailerValue:
        return this.#drop(byte === 0x0d ? atTrailerLf : isTextCode(byte) ? inTrailerValue : isWrong);
      case atTrailerLf:
        return byte === 0x0a ? atTrailer : isWrong;
      default:
        return byte === 0x0a ? atEnd : isWrong;
    }
  }

  #drop(place: number): number {
    this.#dropped += 1;
    return place;
  }
}
