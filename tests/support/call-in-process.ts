// Owns calls of the data plane without a socket: a request made of values, a reply that keeps what it is told.

import { matchEndpoint } from '@countersign/core/dialects/endpoints';
import { makeRequestId } from '@countersign/core/ids';
import type { InboundCall, Reply } from '@countersign/server/gateway/call';
import type { Upstream } from '@countersign/server/upstreams/upstream';
import { chatJson } from './provider-answers.ts';

/** What became of a call: `refused` holds the code, else the status of the answer. */
export type Outcome = {
  readonly refused: string | undefined;
  readonly status: number | undefined;
  readonly headers: readonly string[];
};

/** A chat call with a key, and where its end is told. */
export function chatCall(key: string, body: string, random: (count: number) => Uint8Array) {
  const match = matchEndpoint('POST', '/v1/chat/completions');
  if (match.kind !== 'endpoint') throw new TypeError('there is no chat endpoint');
  const bytes = new TextEncoder().encode(body);
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const nowMs = Date.now();
  const call: InboundCall = {
    requestId: makeRequestId(nowMs, random(10)),
    receivedMs: nowMs,
    receivedAt: performance.now(),
    endpoint: match.endpoint,
    method: 'POST',
    query: '',
    rawHeaders: ['authorization', `Bearer ${key}`, 'content-type', 'application/json'],
    header: () => undefined,
    address: '127.0.0.1',
    readBody: async () => bytes,
    onGone: () => {},
  };
  let status: number | undefined;
  let headers: readonly string[] = [];
  const reply: Reply = {
    refuse: (error, own) => resolve({ refused: error.code, status: undefined, headers: own }),
    hasHead: () => status !== undefined,
    head: (given, own) => {
      status = given;
      headers = own;
    },
    write: () => true,
    onDrain: () => {},
    end: () => resolve({ refused: undefined, status, headers }),
    fail: (error) => resolve({ refused: error.code, status, headers }),
    isGone: () => false,
  };
  return { call, reply, done: promise };
}

/** An upstream that answers at once and hears each body that is sent to it. */
export function countingUpstream(onSend: (body: string) => void): Upstream {
  const answer = new TextEncoder().encode(chatJson());
  return {
    send(request, handler) {
      onSend(request.body === null ? '' : new TextDecoder().decode(request.body));
      let isAborted = false;
      setImmediate(() => {
        if (isAborted) {
          const cause = new Error('given up');
          handler.onError({ kind: 'aborted', beforeHeaders: true, requestSent: true, cause });
          return;
        }
        handler.onHeaders(200, ['content-type', 'application/json']);
        handler.onData(answer);
        handler.onEnd();
      });
      return {
        abort: () => {
          isAborted = true;
        },
        pause: () => {},
        resume: () => {},
      };
    },
  };
}
