// Owns the faces that every listener of the data plane has: health, and the paths of the models' dialects.

import type { Config } from '../platform/config/schema.ts';
import { createDeadlines } from '../platform/deadlines/deadlines.ts';
import { clientAddress, compileTrustedProxies } from '../platform/http/client-address.ts';
import { healthPaths, serveHealthPath } from '../protocols/health/serve.ts';
import { servePlainCall } from '../protocols/inference/plain-call.ts';
import { type InferenceFace, serveInferencePath } from '../protocols/inference/serve.ts';
import type { Face } from './face.ts';
import type { Gateway } from './gateway.ts';

/** Finds a request's client behind the proxies that the settings trust: from the peer's address and its headers. */
export function addressReader(
  config: Config,
): (peer: string | undefined, rawHeaders: readonly string[]) => string {
  const trusted = compileTrustedProxies({ cidrs: config.trustedProxies, hops: config.trustedProxyHops });
  return (peer, rawHeaders) => clientAddress(peer, rawHeaders, trusted);
}

export function healthFace(isReady: () => boolean): Face {
  return {
    name: 'health',
    guard: 'open',
    paths: healthPaths,
    serve: (request, response) => serveHealthPath({ isReady }, request, response),
  };
}

/** The data plane. Its guard is the first step of `serve`: a call without a credential goes no further. */
export function inferenceFace(config: Config, gateway: Gateway, serve: InferenceFace['serve']): Face {
  const { now, clock } = gateway.deps;
  const face: InferenceFace = {
    serve,
    newRequestId: gateway.newRequestId,
    addressOf: addressReader(config),
    bodyLimit: config.bodyLimitBytes,
    idle: { ms: config.idleStreamTimeoutMs, deadlines: createDeadlines() },
    now,
    clock,
  };
  return {
    name: 'inference',
    guard: 'credential',
    serve: (request, response) => serveInferencePath(face, request, response),
    servePlain: (exchange) => servePlainCall(face, exchange),
  };
}
