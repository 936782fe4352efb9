// Owns telling one small text to an address of somebody else: no redirects, and of the answer its status alone.

import type { buildConnector } from 'undici';
import { explain, readUrl } from './fetch-document.ts';

export type PostOptions = {
  readonly text: string;
  /** Names in lower case; the content's type among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for all of it, from the name to the end of the answer. */
  readonly timeoutMs: number;
  /** Gives up before that. */
  readonly signal: AbortSignal;
};

/** Resolves with the status of the answer, whatever it is. Throws `EgressError`, whose kind says what was wrong. */
export type PostText = (url: string, options: PostOptions) => Promise<number>;

/** What is read of an answer's body, so that who sends it is not cut off. It is thrown away. */
const mostUnread = 64 * 1024;

function ignore(): void {}

/** Makes `postText` over a dialer; https, or http where the dialer's allow-list has it. */
export function makePostText(connector: (timeoutMs: number) => buildConnector.connector): PostText {
  return async (address, { text, headers, timeoutMs, signal: given }) => {
    const url = readUrl(address);
    const signal = AbortSignal.any([given, AbortSignal.timeout(timeoutMs)]);
    // Loaded with the first, as in `makeFetchDocument`.
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
        method: 'POST',
        path: url.pathname + url.search,
        headers: { 'user-agent': 'countersign', ...headers },
        body: text,
        signal,
      });
      // The status has been said: what becomes of the body changes nothing.
      await answer.body.dump({ limit: mostUnread, signal }).catch(ignore);
      return answer.statusCode;
    } catch (error) {
      throw explain(error, url.host, signal);
    } finally {
      client.destroy(null, ignore);
    }
  };
}
