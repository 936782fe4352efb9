// Owns reading the head of an answer: its status, its headers, and what they say of the body and the connection.

import { isBlank, isTokenCode, isUpperCode, readDigits } from './characters.ts';

/** What a head says; one object is filled again for each head of a connection. */
export type ResponseHead = {
  status: number;
  /** Flat, with lower-case names, in the order of the wire. */
  headers: string[];
  /** `content-length`; -1 without one. */
  length: number;
  isChunked: boolean;
  /** True: the server closes after this answer. */
  isLast: boolean;
  /** Seconds of `keep-alive: timeout=`; -1 without it. */
  keepAlive: number;
};

export function emptyHead(): ResponseHead {
  return { status: 0, headers: [], length: -1, isChunked: false, isLast: false, keepAlive: -1 };
}

/** RFC 9112 section 4. Text that follows the number is not looked at: the reader has refused controls in it. */
function readStatus(text: string, head: ResponseHead): string | undefined {
  const minor = text.charCodeAt(7) - 0x30;
  if (minor < 0 || minor > 1 || text.charCodeAt(8) !== 0x20) return 'its version is not HTTP/1.1';
  const status = readDigits(text, 9, 12);
  const after = text.charCodeAt(12);
  if (status < 100 || status > 599 || (after !== 0x20 && after !== 0x0d)) return 'its status is none';
  head.status = status;
  head.headers = [];
  head.length = -1;
  head.isChunked = false;
  head.isLast = minor === 0;
  head.keepAlive = -1;
  return undefined;
}

function readConnection(value: string, head: ResponseHead): void {
  if (value === 'keep-alive') return;
  for (const option of value.toLowerCase().split(',')) if (option.trim() === 'close') head.isLast = true;
}

/** What servers say of their patience, since RFC 2068: `timeout=5, max=100`. */
function readKeepAlive(value: string, head: ResponseHead): void {
  for (const parameter of value.toLowerCase().split(',')) {
    const text = parameter.trim();
    if (text.startsWith('timeout=')) head.keepAlive = readDigits(text, 8, text.length);
  }
}

/** Takes up the headers that frame the body or say something of the connection: lengths tell most names at once. */
function takeUp(name: string, value: string, head: ResponseHead): string | undefined {
  switch (name.length) {
    case 10:
      if (name === 'connection') readConnection(value, head);
      else if (name === 'keep-alive') readKeepAlive(value, head);
      return undefined;
    case 14:
      if (name !== 'content-length') return undefined;
      if (head.length !== -1) return 'it has two lengths';
      head.length = readDigits(value, 0, value.length);
      return head.length === -1 ? 'its length is no number' : undefined;
    case 17:
      if (name !== 'transfer-encoding') return undefined;
      if (head.isChunked || value.toLowerCase() !== 'chunked') return 'it is encoded for the transfer';
      head.isChunked = true;
      return undefined;
    default:
      return undefined;
  }
}

function isFraming(name: string): boolean {
  return name === 'content-length' || name === 'transfer-encoding';
}

/** Reads the line from `at`, which ends at `end`; the text of what is wrong with it, or undefined. */
function readLine(text: string, at: number, end: number, head: ResponseHead): string | undefined {
  let colon = at;
  let hasUpper = false;
  let code = text.charCodeAt(colon);
  while (code !== 0x3a) {
    // Also a space before the colon, a line that continues the one before it, and one without a colon.
    if (!isTokenCode(code)) return 'a header has no name, or none that ends at a colon';
    if (isUpperCode(code)) hasUpper = true;
    colon += 1;
    code = text.charCodeAt(colon);
  }
  if (colon === at) return 'a header has no name';
  const given = text.slice(at, colon);
  const name = hasUpper ? given.toLowerCase() : given;
  let from = colon + 1;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  const value = text.slice(from, to);
  head.headers.push(name, value);
  // Not of the value (RFC 9110 section 5.5), and yet what others take for it, or for another coding.
  if (to < end && isFraming(name)) return `its ${name} has a blank behind it`;
  return takeUp(name, value, head);
}

/**
 * Reads a head into `head`: latin1, from the version to the last header's CRLF, without the empty line. The reader
 * has seen to it that it begins with `HTTP/1.` and holds neither a control character nor a CR or LF by itself.
 * What it refuses, it says.
 */
export function readHead(text: string, head: ResponseHead): string | undefined {
  let wrong = readStatus(text, head);
  let at = text.indexOf('\r\n') + 2;
  while (wrong === undefined && at < text.length) {
    const end = text.indexOf('\r\n', at);
    wrong = readLine(text, at, end, head);
    at = end + 2;
  }
  if (wrong !== undefined) return wrong;
  // RFC 9112 section 6.3: whoever reads the one where another reads the other takes a body for an answer.
  if (head.isChunked && head.length !== -1) return 'it has a length and is chunked';
  if (head.isChunked && text.charCodeAt(7) === 0x30) return 'it is chunked in HTTP/1.0';
  return undefined;
}
