// Owns which calls are being served, and what becomes of those that outlast the drain.

import { AppError } from '@countersign/core/errors';
import type { ActiveCalls } from '../gateway/active-calls.ts';
import type { InboundCall, Reply } from '../gateway/call.ts';

/** Never throws: what goes wrong rejects. */
export type ServeCall = (call: InboundCall, reply: Reply) => Promise<void>;

export type CallsUnderWay = {
  readonly serve: ServeCall;
  /** Ends what runs, each with its outcome and an error of its dialect, and refuses what comes after. */
  readonly cut: () => void;
  /** Resolves when no call runs: the outcome of each is recorded, whether or not its client is still there. */
  readonly ended: () => Promise<void>;
};

function stopping(): AppError {
  return new AppError('shutting_down', 'the server is stopping: retry shortly', { retryAfterSeconds: 1 });
}

/** Counts the calls that `serve` takes. */
export function trackCalls(serve: ServeCall, activeCalls: Pick<ActiveCalls, 'cutAll'>): CallsUnderWay {
  let count = 0;
  let isCut = false;
  const waiting = new Set<() => void>();

  function leave(): void {
    count -= 1;
    // A set that is cleared gets a new table, to which the old one points: what is old keeps each of them.
    if (count > 0 || waiting.size === 0) return;
    for (const wake of waiting) wake();
    waiting.clear();
  }

  function fail(error: unknown): never {
    leave();
    throw error;
  }

  return {
    serve(call, reply) {
      if (isCut) {
        reply.refuse(stopping(), ['x-request-id', call.requestId]);
        return Promise.resolve();
      }
      count += 1;
      return serve(call, reply).then(leave, fail);
    },
    cut() {
      isCut = true;
      activeCalls.cutAll({ status: 'cut', error: stopping() });
    },
    ended: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
  };
}
