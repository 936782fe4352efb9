// Owns what a face of the server declares, and the closed list of paths that nobody has to show a credential for.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '@countersign/core/errors';
import type { PlainExchange } from '../platform/http1/plain-exchange.ts';

/** Serves a request if it is its own; false passes it on. */
export type Serve = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Serves a plain request if it is its own; false passes it on, to be read by Node and offered to `Serve`. */
export type ServePlain = (exchange: PlainExchange) => boolean;

/**
 * Who may come in: whoever has a credential, who holds the one-time token of the set-up, who reaches the address that
 * management has for itself, or anybody.
 */
export type Guard = 'credential' | 'setup-token' | 'management-address' | 'open';

/** A part of the server that answers requests. One without a credential is asked for its own paths and no others. */
export type Face = { readonly name: string; readonly serve: Serve } & (
  | { readonly guard: 'credential'; readonly servePlain?: ServePlain }
  | { readonly guard: 'setup-token' | 'management-address' | 'open'; readonly paths: readonly string[] }
);

/** INVARIANT: every path that is served without a credential is here, with the guard that it has instead. */
const unguarded: ReadonlyMap<string, Guard> = new Map([
  ['/', 'open'],
  ['/healthz', 'open'],
  ['/readyz', 'open'],
  ['/api/v1/openapi.json', 'open'],
  ['/setup', 'setup-token'],
  ['/metrics', 'management-address'],
] satisfies readonly (readonly [string, Guard])[]);

function refuseUnlisted(face: Face): void {
  if (face.guard === 'credential') return;
  for (const path of face.paths) {
    if (unguarded.get(path) !== face.guard) {
      throw new AppError(
        'internal',
        `\`${face.name}\` would serve \`${path}\` to anybody: require a credential, or list the path in face.ts`,
      );
    }
  }
}

/** A request's path as it was sent, without the query. */
export function rawPath(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
}

/**
 * One face over several, asked in order. Throws if one of them would serve a path without a credential that is
 * not on the closed list: such a server does not start.
 */
export function joinFaces(faces: readonly Face[]): Serve {
  for (const face of faces) refuseUnlisted(face);
  return (request, response) => {
    const path = rawPath(request);
    return faces.some(
      (face) => (face.guard === 'credential' || face.paths.includes(path)) && face.serve(request, response),
    );
  };
}

/** The faces that take plain requests, as one. */
export function joinPlain(faces: readonly Face[]): ServePlain {
  const plain = faces.flatMap((face) =>
    face.guard === 'credential' && face.servePlain !== undefined ? [face.servePlain] : [],
  );
  return (exchange) => plain.some((serve) => serve(exchange));
}
