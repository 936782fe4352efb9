// Owns which walk an endpoint takes.

import { hasPrompt } from '@countersign/core/dialects/endpoints';
import type { InboundCall, Reply } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import { serveInference } from './inference.ts';
import { serveModels } from './models.ts';

/** The data plane's one way in. */
export function serveCall(deps: GatewayDeps): (call: InboundCall, reply: Reply) => Promise<void> {
  return (call, reply) => {
    if (call.endpoint.id === 'models') return serveModels(deps, call, reply);
    if (hasPrompt(call.endpoint.id)) return serveInference(deps, call, reply);
    return serveInference(deps, call, reply);
  };
}
