// Owns one exchange with an address of somebody else, on a connection of its own: bounded in its head and its time.

import type { buildConnector, Client } from 'undici';
import errors from 'undici/lib/core/errors.js';
import { EgressError } from './egress-error.ts';

/** The dialer's way to connect within so many milliseconds. */
export type MakeConnector = (timeoutMs: number) => buildConnector.connector;

export type ExchangeLimits = {
  /** Milliseconds for all of it, from the name to the last byte. */
  readonly timeoutMs: number;
  /** Gives it up before its time. */
  readonly signal: AbortSignal | undefined;
};

/** The address of something that is fetched or told. Throws `EgressError('invalid')`. */
function readUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new EgressError('invalid', `\`${text}\` is no https address`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new EgressError('invalid', `the address at \`${url.host}\` has a user or a password; take it out`);
  }
  return url;
}

/** Any failure of an exchange with this host as an `EgressError`; `signal` was its time limit. */
function explain(error: unknown, host: string, signal: AbortSignal): EgressError {
  if (error instanceof EgressError) return error;
  if (signal.aborted || error instanceof errors.ConnectTimeoutError) {
    return new EgressError('timeout', `\`${host}\` did not answer in time`, error);
  }
  if (error instanceof errors.HeadersOverflowError) {
    return new EgressError('too_large', `the headers of \`${host}\` are too large`, error);
  }
  return new EgressError('unreachable', `\`${host}\` could not be reached`, error);
}

/**
 * Runs an exchange over a client that ends with it; https, or http where the dialer's allow-list has it. Throws
 * `EgressError`, whose kind says what was wrong.
 */
export async function exchange<T>(
  connector: MakeConnector,
  address: string,
  { timeoutMs, signal: given }: ExchangeLimits,
  run: (client: Client, url: URL, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const url = readUrl(address);
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = given === undefined ? limit : AbortSignal.any([limit, given]);
  // Such exchanges are rare: what reads whole answers is loaded with the first.
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
    return await run(client, url, signal);
  } catch (error) {
    throw explain(error, url.host, signal);
  } finally {
    client.destroy(null, () => {});
  }
}
