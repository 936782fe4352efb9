// Owns which requests are plain: those whose head leaves nothing to interpret, which we read ourselves.

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
/** Digits of a length that a number holds exactly. */
const mostDigits = 15;

const colon = 0x3a;
const carriageReturn = 0x0d;

/** Characters of a header's name: letters, digits, `-` and `_`. RFC 9110 allows more, which nobody sends. */
const ofName = Uint8Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9_-]/.test(String.fromCharCode(code)) ? 1 : 0,
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

/** Where the target ends; 0 if the line is another than a plain one. */
function targetEnd(text: string): number {
  if (!text.startsWith(start) || text.charCodeAt(start.length) !== 0x2f) return 0;
  let at = start.length;
  for (let code = text.charCodeAt(at); code > 0x20 && code < 0x7f; code = text.charCodeAt(at)) at += 1;
  const isEnd = text.startsWith(version, at) && text.charCodeAt(at + version.length) === carriageReturn;
  return isEnd ? at : 0;
}

/** The length that was declared, in bytes; -1 for anything but digits. */
function lengthOf(text: string): number {
  if (text === '' || text.length > mostDigits) return -1;
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Reads header lines one after the other. A class for the sake of its place in the text. */
class Lines {
  readonly rawHeaders: string[] = [];
  readonly names: string[] = [];
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  /** False if a line is not plain. */
  readAll(): boolean {
    const { length } = this.#text;
    while (this.#at < length) if (!this.#readLine()) return false;
    return true;
  }

  #readLine(): boolean {
    const text = this.#text;
    const from = this.#at;
    let at = from;
    let hasCapital = false;
    let code = text.charCodeAt(at);
    while (ofName[code] === 1) {
      if (code < 0x5b && code > 0x40) hasCapital = true;
      at += 1;
      code = text.charCodeAt(at);
    }
    if (at === from || code !== colon) return false;
    const sent = text.slice(from, at);
    const name = hasCapital ? sent.toLowerCase() : sent;
    at += 1;
    while (isBlank(text.charCodeAt(at))) at += 1;
    let end = at;
    // One class: tab, and from the space to `~`. What else a value may hold is rare, and is not plain.
    for (
      code = text.charCodeAt(end);
      code < 0x7f && (code > 0x1f || code === 0x09);
      code = text.charCodeAt(end)
    )
      end += 1;
    if (code !== carriageReturn || text.charCodeAt(end + 1) !== 0x0a) return false;
    this.#at = end + 2;
    while (end > at && isBlank(text.charCodeAt(end - 1))) end -= 1;
    return this.#keep(sent, name, text.slice(at, end));
  }

  #keep(sent: string, name: string, value: string): boolean {
    const { names } = this;
    // Before the names are compared, each with all others: a head may have thousands.
    if (names.length === mostHeaders) return false;
    // Who repeats a header means something by it.
    for (const other of names) if (other === name) return false;
    const isKeepAlive = name === 'connection' && value.toLowerCase() === 'keep-alive';
    if (special.has(name) && !isKeepAlive) return false;
    names.push(name);
    this.rawHeaders.push(sent, value);
    return true;
  }
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
  const at = targetEnd(text);
  if (at === 0) return undefined;
  if (text.charCodeAt(at + version.length + 1) !== 0x0a) return undefined;
  const lines = new Lines(text, at + version.length + 2);
  if (!lines.readAll()) return undefined;
  const { names, rawHeaders } = lines;
  const lengthAt = names.indexOf('content-length');
  const contentLength = lengthAt < 0 ? -1 : lengthOf(rawHeaders[2 * lengthAt + 1] ?? '');
  if (contentLength < 0 || !names.includes('host')) return undefined;
  return { target: text.slice(start.length, at), rawHeaders, names, contentLength, bodyAt: end + 4 };
}
