// Owns step 8: the body leaves, the answer passes byte for byte, all but its last bytes, which wait for the record.

import { isUtf8 } from 'node:buffer';
import type { Hash } from 'node:crypto';
import {
  type AnswerBody,
  type AnswerReader,
  createAnswerBody,
  createAnswerReader,
  mostParsedBytes,
  readAnswer,
} from '@countersign/core/dialects/answer';
import type { Estimates } from '@countersign/core/dialects/answer-report';
import {
  createSseReader,
  maxSseEventBytes,
  type SseBatch,
  type SseReader,
} from '@countersign/core/dialects/sse';
import type { AnswerReport } from '@countersign/core/dialects/usage-types';
import { downstreamHeaders } from '../../upstreams/providers/response-headers.ts';
import type { UpstreamCall, UpstreamError } from '../../upstreams/upstream.ts';
import type { ReplyHeaders } from '../call.ts';
import { createCeiling, isHeldByProvider } from './ceiling.ts';
import type { Cut, Forwarded, Forwarding, ForwardingCall } from './forwarding.ts';
import { joined } from './joined.ts';
import { bytesPerToken } from './meter.ts';
import { utf8 } from './obligations.ts';

/** The most that a stream holds back for its record: a terminal event, and the few small ones that may follow. */
const maxHeldBytes = maxSseEventBytes + 64 * 1024;

function contentType(headers: readonly string[]): string {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i] === 'content-type') return headers[i + 1]?.toLowerCase() ?? '';
  }
  return '';
}

const jsonType = /^application\/(?:[a-z0-9.+-]+\+)?json\b/;

/** The state of one attempt; it has a life, from the first byte to the last. */
class Attempt {
  readonly #forwarding: Forwarding;
  readonly #resolve: (forwarded: Forwarded) => void;
  readonly #startedAt: number;
  #call: UpstreamCall | undefined;
  #status = 0;
  #headers: ReplyHeaders = [];
  #isJson = false;
  #sse: SseReader | undefined;
  #answer: AnswerReader | undefined;
  /** Reads an answer that is no stream. */
  #whole: AnswerBody | undefined;
  #headSent = false;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #body: Uint8Array[] = [];
  #hash: Hash | undefined;
  #commitment: string | undefined;
  #bytes = 0;
  /** Of an answer that streams. */
  #ceiling: ReturnType<typeof createCeiling> | undefined;
  #firstByteMs = 0;
  #cut: Cut | undefined;
  #fault: string | undefined;
  #shouldRetry = false;
  #isDone = false;

  constructor(forwarding: Forwarding, resolve: (forwarded: Forwarded) => void) {
    this.#forwarding = forwarding;
    this.#resolve = resolve;
    this.#startedAt = forwarding.clock();
  }

  start(): void {
    this.#call = this.#forwarding.upstream.send(this.#forwarding.outbound, this);
    // The client may have gone, or the credential ended, before there was a call to stop.
    if (this.#cut !== undefined) this.#call.abort();
  }

  cut(cut: Cut): void {
    if (this.#isDone || this.#cut !== undefined) return;
    this.#cut = cut;
    this.#call?.abort();
  }

  onHeaders(status: number, headers: readonly string[]): void {
    this.#status = status;
    this.#firstByteMs = this.#forwarding.clock() - this.#startedAt;
    if (this.#forwarding.retryStatuses.includes(status)) {
      this.#shouldRetry = true;
      this.#call?.abort();
      return;
    }
    this.#headers = downstreamHeaders(headers, this.#forwarding.ownHeaders);
    if (status < 200 || status > 299) return;
    const { request, reply } = this.#forwarding;
    const type = contentType(headers);
    this.#isJson = request.endpoint !== 'passthrough' || jsonType.test(type);
    if (!type.startsWith('text/event-stream')) {
      this.#whole = createAnswerBody(request.endpoint, utf8.decodeUtf8);
      return;
    }
    this.#sse = createSseReader(utf8.decodeUtf8);
    this.#answer = createAnswerReader(request.endpoint, request.choices, utf8.decodeUtf8);
    this.#ceiling = createCeiling(this.#forwarding);
    this.#hash = this.#forwarding.commitment?.begin();
    this.#headSent = true;
    reply.head(status, this.#headers);
  }

  onData(chunk: Uint8Array): void {
    if (this.#isDone || this.#cut !== undefined || this.#shouldRetry) return;
    this.#bytes += chunk.length;
    if (this.#sse !== undefined) {
      this.#pass(this.#sse.push(chunk));
      return;
    }
    if (this.#hash === undefined && this.#bytes > mostParsedBytes) this.#beginHash();
    this.#keep(chunk);
    this.#held.push(chunk);
    if (this.#bytes > this.#forwarding.maxAnswerBytes) this.#stop('answer_too_large');
    else if (this.#whole?.push(chunk) === false) this.#stop('answer_of_too_many_values');
  }

  onEnd(): void {
    if (this.#sse !== undefined) this.#pass(this.#sse.finish(), true);
    if (this.#repeatsKey()) this.#withhold('key_repeated');
    if (!this.#isDone) this.#finish(undefined);
  }

  onError(error: UpstreamError): void {
    this.#finish(error);
  }

  /** Some providers quote the key that they refuse. It is the organization's, and no caller's. */
  #repeatsKey(): boolean {
    const { providerKey } = this.#forwarding;
    const isRefusal = this.#status < 200 || this.#status > 299;
    return isRefusal && providerKey !== undefined && Buffer.concat(this.#held).includes(providerKey);
  }

  #withhold(fault: string): void {
    this.#fault = fault;
    this.#commitment = this.#commit();
    this.#held = [];
    this.#body = [];
  }

  #commit(): string | undefined {
    return this.#hash?.digest('hex') ?? this.#forwarding.commitment?.whole(joined(this.#held));
  }

  /** A large body is committed to as it comes: all at once it would hold up the others. */
  #beginHash(): void {
    const hash = this.#forwarding.commitment?.begin();
    if (hash === undefined) return;
    for (const bytes of this.#held) hash.update(bytes);
    this.#hash = hash;
  }

  #keep(bytes: Uint8Array): void {
    this.#hash?.update(bytes);
    if (this.#forwarding.keepsBody) this.#body.push(bytes);
  }

  /** `isRest`: the body ended here, without the blank line that would make this an event. */
  #pass(batch: SseBatch, isRest = false): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    if (batch.bytes.length > 0) {
      const read = answer.read(batch);
      // A rest that does not end the answer is a piece of an event: the error that follows would be read as its end.
      const passable = isRest && answer.ending() === 'cut' ? 0 : read;
      this.#keep(batch.bytes);
      if (passable > 0)
        this.#write(passable === batch.bytes.length ? batch.bytes : batch.bytes.subarray(0, passable));
      if (passable < batch.bytes.length) this.#hold(batch.bytes.subarray(passable));
      // What has ended has cost what it cost.
      else {
        const error = this.#ceiling?.(batch.bytes.length, answer);
        if (error !== undefined) this.cut({ status: 'cut', error });
      }
    }
    if (batch.fault !== undefined) this.#stop(batch.fault);
  }

  /** INVARIANT: what follows the terminal event is as bounded as what precedes it, or a provider fills our memory. */
  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > maxHeldBytes) this.#stop('answer_too_large');
  }

  #write(bytes: Uint8Array): void {
    const { reply } = this.#forwarding;
    if (reply.write(bytes)) return;
    this.#call?.pause();
    reply.onDrain(() => this.#call?.resume());
  }

  #stop(fault: string): void {
    this.#fault = fault;
    this.#call?.abort();
  }

  #estimates(): Estimates {
    const { outputCeiling, inputEstimate: inputTokens } = this.#forwarding;
    const isHeld = isHeldByProvider(this.#forwarding);
    return isHeld
      ? { inputTokens, bytesPerToken, mostOutputTokens: outputCeiling }
      : { inputTokens, bytesPerToken };
  }

  #wholeReport(whole: AnswerBody): AnswerReport {
    const { request } = this.#forwarding;
    const estimates = this.#estimates();
    try {
      // Of a large body only what matters is decoded.
      const isText = this.#bytes <= mostParsedBytes || isUtf8(this.#wholeBody());
      return isText ? whole.report(estimates) : readAnswer(request.endpoint, '', estimates);
    } catch {
      return readAnswer(request.endpoint, '', estimates);
    }
  }

  /** What is held, put together once: it is looked at again for its record and its release. */
  #wholeBody(): Uint8Array {
    const body = joined(this.#held);
    this.#held = [body];
    return body;
  }

  /** True where the body ended as HTTP says, and its answer did not: part of it is missing, or it never was one. */
  #isCutShort(report: AnswerReport | undefined): boolean {
    if (report?.ending !== 'cut') return false;
    if (this.#sse !== undefined) return true;
    const { method } = this.#forwarding.outbound;
    const mayBeEmpty = this.#status === 204 || this.#status === 205 || method === 'HEAD';
    return this.#isJson && !(this.#bytes === 0 && mayBeEmpty);
  }

  #finish(failure: UpstreamError | undefined): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const answer = this.#answer;
    const whole = failure === undefined ? this.#whole : undefined;
    const report =
      answer !== undefined
        ? answer.report(this.#estimates())
        : whole === undefined
          ? undefined
          : this.#wholeReport(whole);
    if (failure === undefined && this.#isCutShort(report)) this.#fault ??= 'cut_short';
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      isStream: answer !== undefined,
      isJson: this.#isJson,
      headSent: this.#headSent,
      held: this.#held,
      bytes: this.#bytes,
      body: this.#body,
      commitment: this.#commitment ?? this.#commit(),
      report,
      failure,
      fault: this.#fault,
      cut: this.#cut,
      shouldRetry: this.#shouldRetry,
      firstByteMs: this.#firstByteMs,
      upstreamMs: this.#forwarding.clock() - this.#startedAt,
    });
  }
}

/** Sends one attempt. INVARIANT: the caller holds a durable intent for exactly this attempt. */
export function forward(forwarding: Forwarding): ForwardingCall {
  const { promise, resolve } = Promise.withResolvers<Forwarded>();
  const attempt = new Attempt(forwarding, resolve);
  attempt.start();
  return { done: promise, cut: (cut) => attempt.cut(cut) };
}
