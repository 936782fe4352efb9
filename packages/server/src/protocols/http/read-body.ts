// Owns reading a request's body under a bound.

import type { IncomingMessage } from 'node:http';
import { AppError } from '@countersign/core/errors';

const none = new Uint8Array(0);

function tooLarge(limit: number): AppError {
  return new AppError('payload_too_large', `the body may have ${limit} bytes: send less`);
}

function stalled(): AppError {
  return new AppError('invalid_request', 'the body stopped before its end: send it again');
}

/** What a client may be silent for within a body where nothing else is set, in milliseconds. */
const defaultIdleMs = 60_000;

/**
 * The whole body. Rejects with `payload_too_large` as soon as it is known to be, `unsupported_media_type` for an
 * encoded one, `invalid_request` if the client goes before its end or is silent for `idleMs`.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  idleMs: number = defaultIdleMs,
): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return Promise.reject(new AppError('unsupported_media_type', 'send the body without `content-encoding`'));
  }
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  if (declared > limit) return Promise.reject(tooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => {
      request.pause();
      reject(stalled());
    }, idleMs);
    request.on('data', (chunk: Buffer) => {
      timer.refresh();
      length += chunk.length;
      if (length > limit) {
        clearTimeout(timer);
        request.pause();
        reject(tooLarge(limit));
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => {
      clearTimeout(timer);
      const [only] = chunks;
      resolve(only === undefined ? none : chunks.length === 1 ? only : Buffer.concat(chunks, length));
    });
    const torn = (): void => {
      clearTimeout(timer);
      // Fires after every body: an error is made only where the body did not end.
      if (!request.complete)
        reject(new AppError('invalid_request', 'the body ended before its end: send it again'));
    };
    request.on('error', torn);
    request.on('close', torn);
  });
}
