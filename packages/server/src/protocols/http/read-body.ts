// Owns reading a request's body under a bound.

import type { IncomingMessage } from 'node:http';
import { AppError } from '@countersign/core/errors';
import { createDeadlines, type Deadlines } from '../../platform/deadlines/deadlines.ts';

const none = new Uint8Array(0);

export function tooLarge(limit: number): AppError {
  return new AppError('payload_too_large', `the body may have ${limit} bytes: send less`);
}

export function stalled(): AppError {
  return new AppError('invalid_request', 'the body stopped before its end: send it again');
}

/** The client has gone. */
export function torn(): AppError {
  return new AppError('invalid_request', 'the body ended before its end: send it again');
}

/** Why a body with this `content-encoding` is not read; undefined for one that is as it was written. */
export function refuseEncoded(encoding: string | undefined): AppError | undefined {
  if (encoding === undefined || encoding === 'identity') return undefined;
  return new AppError('unsupported_media_type', 'send the body without `content-encoding`');
}

/** What a client may be silent for within a body, in milliseconds, and what counts it. */
export type IdleLimit = { readonly ms: number; readonly deadlines: Deadlines };

const defaultIdleMs = 60_000;

/**
 * The whole body. Rejects with `payload_too_large` as soon as it is known to be, `unsupported_media_type` for an
 * encoded one, `invalid_request` if the client goes before its end or is silent for longer than `idle`.
 */
export function readBody(
  request: IncomingMessage,
  limit: number,
  idle: IdleLimit = { ms: defaultIdleMs, deadlines: createDeadlines() },
): Promise<Uint8Array> {
  const encoded = refuseEncoded(request.headers['content-encoding']);
  if (encoded !== undefined) return Promise.reject(encoded);
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  if (declared > limit) return Promise.reject(tooLarge(limit));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const deadline = idle.deadlines.after(idle.ms, () => {
      request.pause();
      reject(stalled());
    });
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) {
        deadline.cancel();
        request.pause();
        reject(tooLarge(limit));
        return;
      }
      chunks.push(chunk);
      if (length !== declared) deadline.extend(idle.ms);
    });
    request.on('end', () => {
      deadline.cancel();
      const [only] = chunks;
      resolve(only === undefined ? none : chunks.length === 1 ? only : Buffer.concat(chunks, length));
    });
    const onEnd = (): void => {
      deadline.cancel();
      // Fires after every body: an error is made only where the body did not end.
      if (!request.complete) reject(torn());
    };
    request.on('error', onEnd);
    request.on('close', onEnd);
  });
}
