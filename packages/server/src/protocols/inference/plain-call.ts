// Owns a plain request as the data plane sees it, and its answer.

import { type Endpoint, matchEndpoint } from '@countersign/core/dialects/endpoints';
import type { AppError } from '@countersign/core/errors';
import type { RequestId } from '@countersign/core/ids';
import type { InboundCall, Reply, ReplyHeaders } from '../../gateway/call.ts';
import type { PlainExchange } from '../../platform/http1/plain-exchange.ts';
import { readPlainBody } from '../http/read-plain-body.ts';
import { failureOf, refusalOf } from './reply.ts';
import type { InferenceFace } from './serve.ts';

/** A request and its answer: one object for both, because each request makes one. */
class PlainCall implements InboundCall, Reply {
  readonly requestId: RequestId;
  readonly receivedMs: number;
  readonly receivedAt: number;
  readonly endpoint: Endpoint;
  readonly method = 'POST';
  readonly query: string;
  readonly rawHeaders: readonly string[];
  readonly address: string;
  readonly #face: InferenceFace;
  readonly #exchange: PlainExchange;

  constructor(face: InferenceFace, exchange: PlainExchange, endpoint: Endpoint, query: string) {
    this.requestId = face.newRequestId();
    this.receivedMs = face.now();
    this.receivedAt = face.clock();
    this.endpoint = endpoint;
    this.query = query;
    this.rawHeaders = exchange.rawHeaders;
    this.address = face.addressOf(exchange.remoteAddress, exchange.rawHeaders);
    this.#face = face;
    this.#exchange = exchange;
  }

  header(name: string): string | undefined {
    return this.#exchange.header(name);
  }

  readBody(): Uint8Array | Promise<Uint8Array> {
    const { bodyLimit, idle } = this.#face;
    return readPlainBody(this.#exchange, bodyLimit, idle);
  }

  onGone(listener: () => void): void {
    this.#exchange.onGone(listener);
  }

  hasHead(): boolean {
    return this.#exchange.hasHead();
  }

  isGone(): boolean {
    return this.#exchange.isGone();
  }

  refuse(error: AppError, own: ReplyHeaders): void {
    const exchange = this.#exchange;
    if (exchange.hasHead() || exchange.isGone()) return;
    const { status, headers, body } = refusalOf(this.endpoint.dialect, this.requestId, error, own);
    exchange.head(status, headers);
    exchange.end(body, this.#face.idle.ms);
  }

  head(status: number, headers: ReplyHeaders, length?: number): void {
    this.#exchange.head(status, headers, length);
  }

  write(bytes: Uint8Array): boolean {
    return this.#exchange.write(bytes);
  }

  onDrain(listener: () => void): void {
    this.#exchange.onDrain(listener, this.#face.idle.ms);
  }

  end(bytes: Uint8Array | undefined): void {
    this.#exchange.end(bytes, this.#face.idle.ms);
  }

  fail(error: AppError): void {
    const event = failureOf(this.endpoint, this.requestId, error);
    this.#exchange.end(Buffer.from(event, 'utf8'), this.#face.idle.ms);
  }
}

/** Serves the request if it is one to a model's endpoint; false if it is not. */
export function servePlainCall(face: InferenceFace, exchange: PlainExchange): boolean {
  const { target } = exchange;
  const mark = target.indexOf('?');
  const match = matchEndpoint('POST', mark < 0 ? target : target.slice(0, mark));
  // The rest is answered where other methods and other paths are.
  if (match.kind !== 'endpoint' || match.endpoint.id === 'models') return false;
  const call = new PlainCall(face, exchange, match.endpoint, mark < 0 ? '' : target.slice(mark));
  void face.serve(call, call);
  return true;
}
