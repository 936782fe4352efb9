// Owns step 5: the decision over a call, its hosted tools and every other model that it names.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { hostedToolEntity, routeEntity } from '@countersign/core/directory/entities';
import type { ActorChain } from '@countersign/core/identity/actor';
import { decide as decidePolicy } from '@countersign/core/policy/decide';
import { actionOf } from '@countersign/core/policy/endpoint-actions';
import { strictest } from '@countersign/core/policy/strictest';
import type { Decision, EntityView, RequestContext } from '@countersign/core/policy/types';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import type { InboundCall } from '../call.ts';
import type { Selected } from './select-model.ts';

/** Everything besides the model itself that a call must be allowed to touch. */
function besides(
  snapshot: OrgSnapshot,
  selected: Selected,
  request: InferenceRequest,
): readonly EntityView[] {
  return request.hostedTools.map((tool) => hostedToolEntity(snapshot.directory, selected.provider, tool));
}

function resourceOf(snapshot: OrgSnapshot, { model, provider }: Selected, call: InboundCall): EntityView {
  const { id, providerPath } = call.endpoint;
  if (model === undefined || id === 'passthrough')
    return routeEntity(snapshot.directory, provider, call.method, providerPath);
  return snapshot.model(model, provider);
}

/** The decision over a model call: the model, each hosted tool, each other model that the body names. */
export function decideCall(
  snapshot: OrgSnapshot,
  actor: ActorChain,
  selected: Selected,
  others: readonly Selected[],
  { call, request }: { readonly call: InboundCall; readonly request: InferenceRequest },
  context: RequestContext,
): Decision {
  const principal = snapshot.principal(actor);
  const { rules } = snapshot.policy();
  const action = actionOf(request.endpoint);
  const resource = resourceOf(snapshot, selected, call);
  let decision = decidePolicy(rules, { principal, action, resource, context });
  // A body that names a model is a call of that model too, whatever its path.
  if (action === 'passthrough' && selected.model !== undefined) {
    const named = snapshot.model(selected.model, selected.provider);
    decision = strictest(
      decision,
      decidePolicy(rules, { principal, action: 'chat', resource: named, context }),
    );
  }
  for (const other of others) {
    if (other.model === undefined) continue;
    const also = snapshot.model(other.model, other.provider);
    decision = strictest(decision, decidePolicy(rules, { principal, action, resource: also, context }));
  }
  for (const tool of besides(snapshot, selected, request)) {
    const request = { principal, action: 'use_hosted_tool', resource: tool, context } as const;
    decision = strictest(decision, decidePolicy(rules, request));
  }
  return decision;
}
