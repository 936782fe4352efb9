// Owns which walk an endpoint takes.

import type { InboundCall, Reply } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import { serveInference } from './inference.ts';
import { serveModels } from './models.ts';

/** The data plane's one way in. */
export function serveCall(deps: GatewayDeps): (call: InboundCall, reply: Reply) => Promise<void> {
  return (call, reply) =>
    call.endpoint.id === 'models' ? serveModels(deps, call, reply) : serveInference(deps, call, reply);
}
