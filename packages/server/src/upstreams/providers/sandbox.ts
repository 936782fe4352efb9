// Owns the built-in provider: no model, deterministic text, every dialect's exact shapes, delivered as a network would.

import { randomBytes } from 'node:crypto';
import type { Upstream, UpstreamCall, UpstreamErrorKind, UpstreamHandler } from '../upstream.ts';
import { errorAnswer, type SandboxAnswer, type SandboxCall } from './sandbox/answer.ts';
import { answerChat } from './sandbox/chat.ts';
import { answerCompletion } from './sandbox/completions.ts';
import { answerEmbeddings } from './sandbox/embeddings.ts';
import { answerCount, answerMessage } from './sandbox/messages.ts';
import { answerInputTokens, answerResponse } from './sandbox/responses.ts';

export type SandboxOptions = {
  /** Milliseconds since 1970: answers carry the time at which they were made. */
  readonly now: () => number;
};

const endpoints: ReadonlyMap<string, (call: SandboxCall) => SandboxAnswer> = new Map([
  ['/v1/chat/completions', answerChat],
  ['/v1/completions', answerCompletion],
  ['/v1/embeddings', answerEmbeddings],
  ['/v1/responses', answerResponse],
  ['/v1/responses/input_tokens', answerInputTokens],
  ['/v1/messages', answerMessage],
  ['/v1/messages/count_tokens', answerCount],
]);

function answerTo(method: string, call: SandboxCall): SandboxAnswer {
  const answer = endpoints.get(call.path);
  if (answer !== undefined && method === 'POST') return answer(call);
  const dialect = call.path.startsWith('/v1/messages') ? 'anthropic' : 'openai';
  return errorAnswer(dialect, call, 404, `the sandbox has no \`${method} ${call.path}\` and keeps nothing`);
}

/** Sends an answer piece by piece, each in its own turn of the event loop. */
class Delivery implements UpstreamCall {
  readonly #answer: SandboxAnswer;
  readonly #handler: UpstreamHandler;
  readonly #encoder = new TextEncoder();
  #next = 0;
  #hasHeaders = false;
  #hasEnded = false;
  #isPaused = false;
  #isScheduled = false;

  constructor(answer: SandboxAnswer, handler: UpstreamHandler) {
    this.#answer = answer;
    this.#handler = handler;
    this.#schedule();
  }

  abort(): void {
    this.#fail('aborted', new Error('the call was given up'));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#hasEnded) return;
    this.#isScheduled = true;
    const { intervalMs } = this.#answer;
    if (intervalMs === 0) setImmediate(() => this.#run());
    else setTimeout(() => this.#run(), intervalMs);
  }

  #run(): void {
    this.#isScheduled = false;
    try {
      this.#step();
    } catch (error) {
      // As with a provider on the network: a handler that throws has lost its call, not the process.
      this.#fail('unreachable', error);
    }
  }

  #step(): void {
    if (this.#hasEnded) return;
    if (!this.#hasHeaders) {
      this.#hasHeaders = true;
      this.#handler.onHeaders(this.#answer.status, this.#answer.headers);
    }
    if (this.#hasEnded || this.#isPaused) return;
    const piece = this.#answer.pieces[this.#next];
    this.#next += 1;
    if (piece !== undefined) {
      this.#handler.onData(this.#encoder.encode(piece));
      this.#schedule();
      return;
    }
    this.#hasEnded = true;
    this.#handler.onEnd();
  }

  #fail(kind: UpstreamErrorKind, cause: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const error = { kind, beforeHeaders: !this.#hasHeaders, requestSent: true, cause };
    queueMicrotask(() => this.#handler.onError(error));
  }
}

/**
 * The provider that needs no key and no network. It repeats the beginning of the last user text behind a plain
 * label, counts four bytes of UTF-8 as a token, honours limits, `n` and `stream_options`, and refuses in the
 * dialect what only a model could do (schemas, forced tools). Texts and counts depend on the request alone;
 * ids and times are the call's own, since callers own what a provider's ids name. A model whose name ends in
 * `-slow` waits 20 ms before each event of a stream. Paths are the data plane's; the query and the headers are not read.
 */
export function createSandboxUpstream({ now }: SandboxOptions): Upstream {
  return {
    send(request, handler) {
      const body = request.body ?? new Uint8Array();
      const path = request.path.split('?', 1)[0] ?? '';
      // Random, not derived: equal requests in one millisecond, or on two replicas, must not share an id.
      const nonce = randomBytes(16).toString('hex');
      const call = { path, body, created: Math.floor(now() / 1000), nonce };
      return new Delivery(answerTo(request.method, call), handler);
    },
  };
}
