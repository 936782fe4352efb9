// Owns which requests are plain: those whose head leaves nothing to interpret, which we read ourselves.

import { isBlank, isUpperCode, readDigits } from './characters.ts';

/** The head of a plain request. */
export type PlainHead = {
  /** Path and query as sent; begins with `/`. */
  readonly target: string;
  /** Name, value, name, value, as sent, without the white space around values. */
  readonly rawHeaders: readonly string[];
  /** The names in lower case, one for each header; no two are the same. */
  readonly names: readonly string[];
  /** Bytes of the body. */
  readonly contentLength: number;
  /** Where in the chunk the body begins. */
  readonly bodyAt: number;
};

const start = 'POST ';
const version = ' HTTP/1.1';
const mostHeaders = 64;

const slash = 0x2f;
const colon = 0x3a;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Characters of a header's name: letters, digits, `-` and `_`. RFC 9110 allows more, which nobody sends. */
const ofName = Uint8Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9_-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Characters of a value: tab, and from the space to `~`. What else one may hold is rare, and is not plain. */
const ofValue = Uint8Array.from({ length: 256 }, (_, code) =>
  code === 0x09 || (code > 0x1f && code < 0x7f) ? 1 : 0,
);

/**
 * What changes how a message is framed, how its connection goes on, or what is answered before the body: a parser that
 * knows all of HTTP takes those requests.
 */
const special: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'connection',
  'proxy-connection',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'http2-settings',
]);

/** A bit for each length that one of them has: most names are told apart from them by that. */
const specialLengths = [...special].reduce((bits, name) => bits | (1 << name.length), 0);

/** Where the target ends; 0 if the line is another than a plain one. */
function targetEnd(chunk: Buffer, text: string): number {
  if (!text.startsWith(start) || chunk[start.length] !== slash) return 0;
  let at = start.length;
  while ((chunk[at] ?? 0) > 0x20 && ofValue[chunk[at] ?? 0] === 1) at += 1;
  const lineEnd = at + version.length;
  const isEnd =
    text.startsWith(version, at) && chunk[lineEnd] === carriageReturn && chunk[lineEnd + 1] === lineFeed;
  return isEnd ? at : 0;
}

function isSpecial(name: string, value: string): boolean {
  if (name.length > 31 || (specialLengths & (1 << name.length)) === 0 || !special.has(name)) return false;
  return name !== 'connection' || value.toLowerCase() !== 'keep-alive';
}

type Lines = Pick<PlainHead, 'rawHeaders' | 'names'>;

/** The lines of `text`, which is the beginning of `chunk`, from `from` on. Undefined if one is not plain. */
function readLines(chunk: Buffer, text: string, from: number): Lines | undefined {
  const rawHeaders: string[] = [];
  const names: string[] = [];
  /** A bit for each name, by its letters: a name whose bit is free is not compared with the others. */
  let seen = 0;
  for (let at = from; at < text.length; ) {
    const nameAt = at;
    let sum = 0;
    let hasUpper = false;
    for (let code = chunk[at] ?? 0; ofName[code] === 1; code = chunk[at] ?? 0) {
      if (isUpperCode(code)) hasUpper = true;
      sum = (Math.imul(sum, 31) + (code | 0x20)) | 0;
      at += 1;
    }
    if (at === nameAt || chunk[at] !== colon || names.length === mostHeaders) return undefined;
    const sent = text.slice(nameAt, at);
    const name = hasUpper ? sent.toLowerCase() : sent;
    const bit = 1 << (sum & 31);
    // Who repeats a header means something by it.
    if ((seen & bit) !== 0 && names.includes(name)) return undefined;
    seen |= bit;
    at += 1;
    while (isBlank(chunk[at])) at += 1;
    let end = at;
    while (ofValue[chunk[end] ?? 0] === 1) end += 1;
    if (chunk[end] !== carriageReturn || chunk[end + 1] !== lineFeed) return undefined;
    const lineEnd = end + 2;
    while (end > at && isBlank(chunk[end - 1])) end -= 1;
    const value = text.slice(at, end);
    if (isSpecial(name, value)) return undefined;
    names.push(name);
    rawHeaders.push(sent, value);
    at = lineEnd;
  }
  return { rawHeaders, names };
}

/**
 * The head at the beginning of `chunk`, if it is whole, has at most `limit` bytes and is plain: a POST of HTTP/1.1 to a
 * path in visible ASCII, with exactly one `host` and `content-length`, headers of letters, digits, `-` and `_`, none of
 * them twice, values of visible ASCII, and nothing that concerns the connection but `keep-alive`. Undefined for
 * everything else, which may be good HTTP or none.
 */
export function readPlainHead(chunk: Buffer, limit: number): PlainHead | undefined {
  const end = chunk.indexOf('\r\n\r\n');
  if (end < 0 || end + 4 > limit) return undefined;
  const text = chunk.toString('latin1', 0, end + 2);
  const at = targetEnd(chunk, text);
  if (at === 0) return undefined;
  const lines = readLines(chunk, text, at + version.length + 2);
  if (lines === undefined) return undefined;
  const { names, rawHeaders } = lines;
  const lengthAt = names.indexOf('content-length');
  const length = lengthAt < 0 ? '' : (rawHeaders[2 * lengthAt + 1] ?? '');
  const contentLength = readDigits(length, 0, length.length);
  if (contentLength < 0 || !names.includes('host')) return undefined;
  return { target: text.slice(start.length, at), rawHeaders, names, contentLength, bodyAt: end + 4 };
}
