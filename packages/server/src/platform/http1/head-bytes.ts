// Owns putting a head into the bytes that leave. Measured: text that is put together line by line leaves four times its
// size to the collector.

/** A head that has not left yet. All of it is latin1. */
export type Head = {
  /** Its first lines, each with its CRLF. */
  readonly first: string;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  /** Its last lines, with the empty one. */
  readonly last: string;
};

/** Puts `text`, which is latin1, into `bytes` from `at` on; where it ends. */
export function putText(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i += 1) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** Bytes that a head takes. */
export function headLength({ first, headers, last }: Head): number {
  let length = first.length + last.length;
  // Behind each name and each value stand two more.
  for (let i = 0; i + 1 < headers.length; i += 2)
    length += (headers[i]?.length ?? 0) + (headers[i + 1]?.length ?? 0) + 4;
  return length;
}

/** Puts a head into `bytes` from `at` on; where it ends. */
export function putHead(bytes: Uint8Array, at: number, { first, headers, last }: Head): number {
  let end = putText(bytes, at, first);
  for (let i = 0; i + 1 < headers.length; i += 2) {
    end = putText(bytes, end, headers[i] ?? '');
    end = putText(bytes, end, ': ');
    end = putText(bytes, end, headers[i + 1] ?? '');
    end = putText(bytes, end, '\r\n');
  }
  return putText(bytes, end, last);
}
