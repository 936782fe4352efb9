// Owns how a refusal looks on the management API: RFC 9457, with our stable code.

import type { ServerResponse } from 'node:http';
import { statusOf } from '@countersign/core/dialects/errors';
import type { AppError, ErrorCode } from '@countersign/core/errors';
import type { RequestId } from '@countersign/core/ids';

const titles: { readonly [C in ErrorCode]?: string } = {
  invalid_request: 'the request is not valid',
  authentication_failed: 'the credential is not good',
  permission_denied: 'you may not do this',
  not_found: 'there is no such thing',
  already_exists: 'there is one already',
  conflict: 'it conflicts with what is there',
  policy_invalid: 'the policy was refused',
  internal: 'something went wrong here',
};

/** Sends a problem. What is not an AppError gives nothing away. */
export function sendProblem(response: ServerResponse, error: AppError, requestId: RequestId): void {
  if (response.headersSent || response.destroyed) return;
  const status = statusOf(error.code);
  const { fields, retryAfterSeconds } = error.details;
  const body = JSON.stringify({
    type: `urn:countersign:problem:${error.code}`,
    title: titles[error.code] ?? error.code.replaceAll('_', ' '),
    status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(fields === undefined ? {} : { fields }),
  });
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'x-request-id': requestId,
    'cache-control': 'no-store',
    ...(error.code === 'authentication_failed' ? { 'www-authenticate': 'Bearer' } : {}),
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterSeconds)) }),
  });
  response.end(body);
}
