// Owns what the HTTP client's errors mean to the data plane.

import { isObject } from '@countersign/core/json';
import { EgressError } from '../../platform/egress/egress-error.ts';
import type { UpstreamErrorKind } from '../upstream.ts';

/** Codes of undici (docs/docs/api/Errors.md). What is not here is `unreachable`. */
const kinds: ReadonlyMap<string, UpstreamErrorKind> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout_connect'],
  ['UND_ERR_HEADERS_OVERFLOW', 'too_large'],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'too_large'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'invalid'],
  ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'invalid'],
  ['UND_ERR_INVALID_ARG', 'invalid'],
]);

/** undici says these with the code of a broken socket: an upgrade or a `100` that nobody asked for. */
const misbehaviour: ReadonlySet<string> = new Set(['bad response', 'bad upgrade']);

/** The kind of a client's error. `requestSent` tells a kernel's connect time-out from a later one. */
export function failureKind(error: unknown, requestSent: boolean): UpstreamErrorKind {
  if (!isObject(error)) return 'unreachable';
  if (error instanceof EgressError && error.kind === 'forbidden') return 'forbidden';
  const { code, message } = error;
  // llhttp's, often without a code: what came is not HTTP/1.1, as RFC 9112 frames it.
  if (error.name === 'HTTPParserError') return 'invalid';
  if (typeof code !== 'string') return 'unreachable';
  if (code === 'ETIMEDOUT' && !requestSent) return 'timeout_connect';
  if (code === 'UND_ERR_SOCKET' && typeof message === 'string' && misbehaviour.has(message)) return 'invalid';
  return kinds.get(code) ?? 'unreachable';
}
