// Owns the answer of a model request over HTTP: framing is ours, refusals are in the caller's dialect.

import type { ServerResponse } from 'node:http';
import type { Dialect } from '@countersign/core/dialects/endpoints';
import { renderError, renderStreamError } from '@countersign/core/dialects/errors';
import type { AppError } from '@countersign/core/errors';
import type { RequestId } from '@countersign/core/ids';
import type { Reply } from '../../gateway/call.ts';

export type ReplyOptions = {
  readonly dialect: Dialect;
  readonly isResponses: boolean;
  readonly requestId: RequestId;
  /** Milliseconds after which a client that takes nothing of its answer counts as gone. */
  readonly idleMs: number;
};

function refuse(
  response: ServerResponse,
  options: ReplyOptions,
  error: AppError,
  own: readonly string[],
): void {
  const rendered = renderError(options.dialect, error.code, error.message, options.requestId, {
    retryAfterSeconds: error.details.retryAfterSeconds,
  });
  const body = Buffer.from(rendered.body, 'utf8');
  const headers = Object.entries(rendered.headers).flat();
  for (let i = 0; i + 1 < own.length; i += 2) {
    const name = own[i] ?? '';
    if (!(name in rendered.headers)) headers.push(name, own[i + 1] ?? '');
  }
  // A body that never ends would hold its connection.
  if (!response.req.complete) response.shouldKeepAlive = false;
  response.writeHead(rendered.status, [...headers, 'content-length', String(body.length)]);
  response.end(body);
}

/** Ends a connection whose client has taken nothing for so long. Progress within a write counts. */
function watchReader(response: ServerResponse, idleMs: number): void {
  response.setTimeout(idleMs, () => response.destroy());
}

/** The reply to one request. What comes after the client has gone is dropped. */
export function createReply(response: ServerResponse, options: ReplyOptions): Reply {
  return {
    hasHead: () => response.headersSent,
    isGone: () => response.destroyed,
    refuse(error, headers) {
      if (!response.headersSent && !response.destroyed) refuse(response, options, error, headers);
    },
    head(status, headers) {
      if (!response.headersSent && !response.destroyed) response.writeHead(status, [...headers]);
    },
    write: (bytes) => response.destroyed || response.write(bytes),
    onDrain: (listener) => {
      watchReader(response, options.idleMs);
      response.once('drain', () => {
        response.setTimeout(0);
        listener();
      });
    },
    end(bytes) {
      if (response.destroyed) return;
      response.end(bytes);
      if (!response.writableFinished) watchReader(response, options.idleMs);
    },
    fail(error) {
      if (response.destroyed) return;
      response.end(
        renderStreamError(options.dialect, options.isResponses, error.code, error.message, options.requestId),
      );
      if (!response.writableFinished) watchReader(response, options.idleMs);
    },
  };
}
