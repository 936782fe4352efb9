// Owns fetching one small document, such as an issuer's keys, and sending one to be answered: no redirects, no encodings,
// capped in size and time.

import type { buildConnector, Dispatcher } from 'undici';
import errors from 'undici/lib/core/errors.js';
import { EgressError } from './egress-error.ts';

export type FetchOptions = {
  /** Largest body in bytes. */
  readonly maxBytes: number;
  /** Milliseconds for all of it, from the name to the last byte. */
  readonly timeoutMs: number;
  /** The `accept` header; any type when absent. */
  readonly accept?: string;
  /** What is sent, by POST; absent: nothing, by GET. */
  readonly send?: { readonly type: string; readonly body: string };
  /** Gives it up before its time. */
  readonly signal?: AbortSignal;
};

export type FetchedDocument = {
  /** Never 3xx; the caller judges the rest. */
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
  /** For how long it may be kept (RFC 9111). */
  readonly headers: Readonly<Record<'cache-control' | 'age', string | undefined>>;
};

/** Throws `EgressError`, whose kind says what was wrong. */
export type FetchDocument = (url: string, options: FetchOptions) => Promise<FetchedDocument>;

function ignore(): void {}

/** The address of something that is fetched or told. Throws `EgressError('invalid')`. */
export function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new EgressError('invalid', `\`${text}\` is no https address`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new EgressError('invalid', `the address at \`${url.host}\` has a user or a password; take it out`);
  }
  return url;
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}

function checkHead(answer: Dispatcher.ResponseData, host: string, maxBytes: number): void {
  if (answer.statusCode >= 300 && answer.statusCode < 400) {
    throw new EgressError('invalid', `\`${host}\` answered with a redirect; use the address it points to`);
  }
  const encoding = single(answer.headers['content-encoding'])?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    throw new EgressError('invalid', `\`${host}\` encoded its answer, where \`identity\` was asked for`);
  }
  if (Number(single(answer.headers['content-length']) ?? 0) > maxBytes) throw tooLarge(host, maxBytes);
}

function tooLarge(host: string, maxBytes: number): EgressError {
  return new EgressError('too_large', `the answer of \`${host}\` is larger than ${maxBytes} bytes`);
}

async function readBody(body: AsyncIterable<unknown>, host: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new EgressError('invalid', `\`${host}\` sent no bytes`);
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(host, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** Any failure of an exchange with this host as an `EgressError`; `signal` was its time limit. */
export function explain(error: unknown, host: string, signal: AbortSignal): EgressError {
  if (error instanceof EgressError) return error;
  if (signal.aborted || error instanceof errors.ConnectTimeoutError) {
    return new EgressError('timeout', `\`${host}\` did not answer in time`, error);
  }
  if (error instanceof errors.HeadersOverflowError) {
    return new EgressError('too_large', `the headers of \`${host}\` are too large`, error);
  }
  return new EgressError('unreachable', `\`${host}\` could not be reached`, error);
}

/** Makes `fetchDocument` over a dialer; https, or http where the dialer's allow-list has it. */
export function makeFetchDocument(connector: (timeoutMs: number) => buildConnector.connector): FetchDocument {
  return async (text, { maxBytes, timeoutMs, accept = '*/*', send, signal: given }) => {
    const url = readUrl(text);
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = given === undefined ? limit : AbortSignal.any([limit, given]);
    // Documents are rare: what reads whole answers is loaded with the first.
    const { Client } = await import('undici');
    const client = new Client(url.origin, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: 32 * 1024,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: connector(timeoutMs),
    });
    try {
      const answer = await client.request({
        method: send === undefined ? 'GET' : 'POST',
        path: url.pathname + url.search,
        headers: {
          accept,
          'accept-encoding': 'identity',
          'user-agent': 'countersign',
          ...(send === undefined ? {} : { 'content-type': send.type }),
        },
        body: send?.body ?? null,
        signal,
      });
      // A body that is left unread when the head is refused ends with the client, and its error is told to nobody.
      answer.body.on('error', ignore);
      checkHead(answer, url.host, maxBytes);
      return {
        status: answer.statusCode,
        contentType: single(answer.headers['content-type']),
        body: await readBody(answer.body, url.host, maxBytes),
        headers: {
          'cache-control': single(answer.headers['cache-control']),
          age: single(answer.headers.age),
        },
      };
    } catch (error) {
      throw explain(error, url.host, signal);
    } finally {
      client.destroy(null, ignore);
    }
  };
}
