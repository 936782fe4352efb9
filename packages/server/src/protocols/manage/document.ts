// Owns the description of the API at its own path: the same for everybody, so that nobody has to show a key for it.

import type { IncomingMessage, ServerResponse } from 'node:http';

export const documentPaths = ['/api/v1/openapi.json'] as const;

/** Serves `GET /api/v1/openapi.json`; false for any other method. */
export function serveDocumentPath(
  document: () => string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (request.method !== 'GET') return false;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(document());
  return true;
}
