// Owns the open paths: whether the process lives, and whether it takes requests.

import type { IncomingMessage, ServerResponse } from 'node:http';

export type HealthFace = { readonly isReady: () => boolean };

/** What is served to anybody; `/` only to HEAD. */
export const healthPaths = ['/', '/healthz', '/readyz'] as const;

function send(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Serves `HEAD /`, `/healthz` and `/readyz`; false for any other path. */
export function serveHealthPath(
  face: HealthFace,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const path = request.url ?? '/';
  if (path === '/' && request.method === 'HEAD') {
    send(request, response, 200, '');
    return true;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  if (path === '/healthz') {
    send(request, response, 200, 'alive\n');
    return true;
  }
  if (path === '/readyz') {
    if (face.isReady()) send(request, response, 200, 'ready\n');
    else send(request, response, 503, 'not ready\n');
    return true;
  }
  return false;
}
