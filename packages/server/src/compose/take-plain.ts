// Owns which connections Node's HTTP parser gets: those on which something comes that is not a plain request.

import type { Server } from 'node:http';
import { AppError } from '@countersign/core/errors';
import {
  createPlainConnections,
  type PlainConnections,
  type PlainOptions,
} from '../platform/http1/plain-connections.ts';
import { type Face, joinPlain } from './face.ts';

/**
 * Takes each new connection of `server` before its parser does. `event` is the one by which the server's parser hears
 * of a connection. See docs/adr/0032.
 */
export function takePlain(
  server: Server,
  event: 'connection' | 'secureConnection',
  faces: readonly Face[],
  options: Omit<PlainOptions, 'serve' | 'handOver'>,
): PlainConnections {
  const [parse, ...others] = server.listeners(event);
  if (parse === undefined || others.length > 0)
    throw new AppError('internal', `Node's HTTP server does not listen to \`${event}\` as it did`);
  server.removeAllListeners(event);
  const connections = createPlainConnections({
    ...options,
    serve: joinPlain(faces),
    handOver: (socket) => void Reflect.apply(parse, server, [socket]),
  });
  server.on(event, connections.accept);
  return connections;
}
