// Owns reading a request's body under a bound.

import type { IncomingMessage } from 'node:http';
import { AppError } from '@countersign/core/errors';

const none = new Uint8Array(0);

function tooLarge(limit: number): AppError {
  return new AppError('payload_too_large', `the body may have ${limit} bytes: send less`);
}

/**
 * The whole body. Rejects with `payload_too_large` as soon as it is known to be, `unsupported_media_type` for an
 * encoded one, `invalid_request` if the client goes before its end.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    return Promise.reject(new AppError('unsupported_media_type', 'send the body without `content-encoding`'));
  }
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  if (declared > limit) return Promise.reject(tooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        request.pause();
        reject(tooLarge(limit));
        return;
      }
      chunks.push(chunk);
    });
    request.on('end', () => {
      const [only] = chunks;
      resolve(only === undefined ? none : chunks.length === 1 ? only : Buffer.concat(chunks, length));
    });
    const torn = (): void => {
      // Fires after every body: an error is made only where the body did not end.
      if (!request.complete)
        reject(new AppError('invalid_request', 'the body ended before its end: send it again'));
    };
    request.on('error', torn);
    request.on('close', torn);
  });
}
