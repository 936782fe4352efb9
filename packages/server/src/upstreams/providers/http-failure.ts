// Owns what the errors of a connection mean to the data plane.

import { isObject } from '@countersign/core/json';
import { EgressError } from '../../platform/egress/egress-error.ts';
import { ProtocolError } from '../../platform/http1/protocol-error.ts';
import type { UpstreamErrorKind } from '../upstream.ts';

/** The kind of a connection's error. `requestSent` tells a kernel's connect time-out from a later one. */
export function failureKind(error: unknown, requestSent: boolean): UpstreamErrorKind {
  if (error instanceof ProtocolError) return error.kind;
  if (error instanceof EgressError && error.kind === 'forbidden') return 'forbidden';
  if (!isObject(error)) return 'unreachable';
  // The first is the dialer's.
  if (error.code === 'UND_ERR_CONNECT_TIMEOUT' || (error.code === 'ETIMEDOUT' && !requestSent)) {
    return 'timeout_connect';
  }
  return 'unreachable';
}
