// Owns fetching one small document, such as an issuer's keys, and sending one to be answered: no redirects, no encodings,
// capped in size and time.

import type { Dispatcher } from 'undici';
import { EgressError } from './egress-error.ts';
import { exchange, type MakeConnector } from './exchange.ts';

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

/** Makes `fetchDocument` over a dialer; https, or http where the dialer's allow-list has it. */
export function makeFetchDocument(connector: MakeConnector): FetchDocument {
  return (text, { maxBytes, timeoutMs, accept = '*/*', send, signal: given }) =>
    exchange(connector, text, { timeoutMs, signal: given }, async (client, url, signal) => {
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
    });
}
