// Owns telling one small text to an address of somebody else: no redirects, and of the answer its status alone.

import { exchange, type MakeConnector } from './exchange.ts';

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
export function makePostText(connector: MakeConnector): PostText {
  return (address, { text, headers, timeoutMs, signal: given }) =>
    exchange(connector, address, { timeoutMs, signal: given }, async (client, url, signal) => {
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
    });
}
