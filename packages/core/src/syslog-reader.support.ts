// Owns a strict reader of syslog messages for tests: the ABNF of RFC 5424 section 6 over bytes, and the two framings.

export type ReadElement = {
  readonly id: string;
  readonly params: readonly (readonly [name: string, value: string])[];
};

export type ReadMessage = {
  readonly facility: number;
  readonly severity: number;
  readonly version: number;
  /** `undefined` for the nil value, as in the other fields. */
  readonly timestamp: string | undefined;
  readonly hostname: string | undefined;
  readonly app: string | undefined;
  readonly process: string | undefined;
  readonly kind: string | undefined;
  readonly data: readonly ReadElement[];
  /** The text, without the mark that says UTF-8; `undefined` where there is none. */
  readonly text: string | undefined;
  readonly isMarked: boolean;
};

/** Every receiver must take this many bytes by UDP over IPv4 (RFC 5426 3.2); RFC 5424 6.1 has the same. */
export const leastTaken = 480;
/** A receiver should take this many (RFC 5424 6.1, RFC 5425 4.3.1). */
export const usuallyTaken = 2048;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const space = 0x20;
const quotation = 0x22;
const backslash = 0x5c;
const bracket = 0x5d;

class Cursor {
  at = 0;
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }
  fail(rule: string): never {
    throw new SyntaxError(`${rule} at byte ${this.at}`);
  }
  peek(): number {
    return this.bytes[this.at] ?? -1;
  }
  take(character: string, rule: string): void {
    if (this.peek() !== character.charCodeAt(0)) this.fail(rule);
    this.at += 1;
  }
  /** One to `most` bytes that `fits`; the one behind them does not, or there would be more than `most`. */
  run(fits: (byte: number) => boolean, most: number, rule: string): string {
    const from = this.at;
    while (!this.isAtEnd && fits(this.peek())) this.at += 1;
    if (this.at === from || this.at - from > most) this.fail(rule);
    return String.fromCharCode(...this.bytes.subarray(from, this.at));
  }
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
/** PRINTUSASCII = %d33-126 */
const isPrintable = (byte: number): boolean => byte >= 33 && byte <= 126;
/** SD-NAME: PRINTUSASCII except `=`, SP, `]`, `"`. */
const isName = (byte: number): boolean =>
  isPrintable(byte) && byte !== 0x3d && byte !== bracket && byte !== quotation;

/** HOSTNAME, APP-NAME, PROCID, MSGID: NILVALUE / 1*n PRINTUSASCII, behind a space. */
function field(cursor: Cursor, most: number, name: string): string | undefined {
  cursor.take(' ', `a space before ${name}`);
  const text = cursor.run(isPrintable, most, `${name} = NILVALUE / 1*${most}PRINTUSASCII`);
  return text === '-' ? undefined : text;
}

const moment =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** True for a TIMESTAMP of section 6.2.3: a day of its month, 24 hours, no leap second, at most six digits of a second. */
function isTimestamp(text: string): boolean {
  const [, year = '', month = '', day = ''] = moment.exec(text) ?? [];
  if (year === '') return false;
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  const isLeap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1] ?? 0;
  return d >= 1 && d <= days;
}

/** PARAM-VALUE between its quotation marks. `"`, `\` and `]` are there only behind a backslash (section 6.3.3). */
function paramValue(cursor: Cursor): string {
  const bytes: number[] = [];
  cursor.take('"', 'a quotation mark before PARAM-VALUE');
  while (cursor.peek() !== quotation) {
    if (cursor.isAtEnd || cursor.peek() === bracket) cursor.fail('PARAM-VALUE: `"` and `]` must be escaped');
    if (cursor.peek() === backslash) {
      cursor.at += 1;
      // Readers take any other pair as it stands; a writer that leaves one has not escaped a backslash.
      if (![quotation, backslash, bracket].includes(cursor.peek()))
        cursor.fail('PARAM-VALUE: a lone backslash');
    }
    bytes.push(cursor.peek());
    cursor.at += 1;
  }
  cursor.at += 1;
  return utf8.decode(Uint8Array.from(bytes));
}

/** SD-NAME, and for an SD-ID with `@` a name before it and a private enterprise number behind it (section 6.3.2). */
function sdId(cursor: Cursor): string {
  const id = cursor.run(isName, 32, 'SD-ID = 1*32PRINTUSASCII except =, ], "');
  const registered = ['timeQuality', 'origin', 'meta'];
  if (!registered.includes(id) && !/^[^@]+@\d+(?:\.\d+)*$/.test(id)) cursor.fail('SD-ID: name@number');
  return id;
}

function structuredData(cursor: Cursor): readonly ReadElement[] {
  cursor.take(' ', 'a space before STRUCTURED-DATA');
  if (cursor.peek() === 0x2d) {
    cursor.at += 1;
    return [];
  }
  const elements: ReadElement[] = [];
  do {
    cursor.take('[', 'STRUCTURED-DATA = NILVALUE / 1*SD-ELEMENT');
    const id = sdId(cursor);
    const params: (readonly [string, string])[] = [];
    while (cursor.peek() === space) {
      cursor.at += 1;
      const name = cursor.run(isName, 32, 'PARAM-NAME = 1*32PRINTUSASCII except =, ], "');
      cursor.take('=', '`=` behind PARAM-NAME');
      params.push([name, paramValue(cursor)]);
    }
    cursor.take(']', '`]` behind an SD-ELEMENT');
    // Section 6.3.2: the same SD-ID must not be there twice.
    if (elements.some((one) => one.id === id)) cursor.fail(`SD-ID ${id} is there twice`);
    elements.push({ id, params });
  } while (cursor.peek() === 0x5b);
  return elements;
}

function messageText(cursor: Cursor): Pick<ReadMessage, 'text' | 'isMarked'> {
  if (cursor.isAtEnd) return { text: undefined, isMarked: false };
  cursor.take(' ', 'a space before MSG');
  const rest = cursor.bytes.subarray(cursor.at);
  const isMarked = rest[0] === 0xef && rest[1] === 0xbb && rest[2] === 0xbf;
  // MSG-ANY may be of any bytes. What we write is UTF-8, so it has its mark.
  return { text: utf8.decode(isMarked ? rest.subarray(3) : rest), isMarked };
}

/** Reads one message without framing. Throws a SyntaxError that names the rule, a TypeError for what is no UTF-8. */
export function readSyslog(bytes: Uint8Array): ReadMessage {
  const cursor = new Cursor(bytes);
  cursor.take('<', 'PRI begins with <');
  const priority = cursor.run(isDigit, 3, 'PRIVAL = 1*3DIGIT');
  if (Number(priority) > 191 || /^0\d/.test(priority))
    cursor.fail('PRIVAL is 0 to 191 without leading zeros');
  cursor.take('>', 'PRI ends with >');
  const version = cursor.run(isDigit, 3, 'VERSION = NONZERO-DIGIT 0*2DIGIT');
  if (version !== '1') cursor.fail('VERSION is 1');
  const timestamp = field(cursor, 32, 'TIMESTAMP');
  if (timestamp !== undefined && !isTimestamp(timestamp)) cursor.fail(`TIMESTAMP ${timestamp}`);
  return {
    facility: Math.floor(Number(priority) / 8),
    severity: Number(priority) % 8,
    version: Number(version),
    timestamp,
    hostname: field(cursor, 255, 'HOSTNAME'),
    app: field(cursor, 48, 'APP-NAME'),
    process: field(cursor, 128, 'PROCID'),
    kind: field(cursor, 32, 'MSGID'),
    data: structuredData(cursor),
    ...messageText(cursor),
  };
}

/** The messages of a stream with octet counting: MSG-LEN SP SYSLOG-MSG (RFC 5425 4.3, RFC 6587 3.4.1), nothing between. */
export function readFrames(bytes: Uint8Array): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  const cursor = new Cursor(bytes);
  while (!cursor.isAtEnd) {
    const length = cursor.run(isDigit, 10, 'MSG-LEN = NONZERO-DIGIT *DIGIT');
    if (length.startsWith('0')) cursor.fail('MSG-LEN begins with no zero');
    cursor.take(' ', 'a space behind MSG-LEN');
    const to = cursor.at + Number(length);
    if (to > bytes.length) cursor.fail('MSG-LEN is more than there is');
    frames.push(bytes.subarray(cursor.at, to));
    cursor.at = to;
  }
  return frames;
}
