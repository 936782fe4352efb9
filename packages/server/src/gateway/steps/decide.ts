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

function resourceOf(snapshot: OrgSnapshot, { model, provider }: Selected, call: InboundCall): EntityView {
  const { id, providerPath } = call.endpoint;
  if (model === undefined || id === 'passthrough')
    return routeEntity(snapshot.directory, provider, call.method, providerPath);
  return snapshot.model(model, provider);
}

/** A decision, and what it was about where that is not the model that was asked for. */
export type DecidedCall = { readonly decision: Decision; readonly about: string | undefined };

/** The decision over a model call: the model, each hosted tool, each other model that the body names. */
export function decideCall(
  snapshot: OrgSnapshot,
  actor: ActorChain,
  selected: Selected,
  others: readonly Selected[],
  { call, request }: { readonly call: InboundCall; readonly request: InferenceRequest },
  context: RequestContext,
): DecidedCall {
  const principal = snapshot.principal(actor);
  const { rules } = snapshot.policy();
  const action = actionOf(request.endpoint);
  const resource = resourceOf(snapshot, selected, call);
  // A body that names a model is a call of that model too, whatever its path.
  const modelAction = action === 'passthrough' ? 'chat' : action;
  let decision = decidePolicy(rules, { principal, action, resource, context });
  if (action === 'passthrough' && selected.model !== undefined) {
    const named = snapshot.model(selected.model, selected.provider);
    decision = strictest(
      decision,
      decidePolicy(rules, { principal, action: modelAction, resource: named, context }),
    );
  }
  let about: string | undefined;
  const join = (next: Decision, what: string): void => {
    const joined = strictest(decision, next);
    if (joined.outcome !== 'allow' && decision.outcome === 'allow') about = what;
    decision = joined;
  };
  for (const other of others) {
    if (other.model === undefined) continue;
    const also = snapshot.model(other.model, other.provider);
    join(
      decidePolicy(rules, { principal, action: modelAction, resource: also, context }),
      `model \`${other.model.name}\``,
    );
  }
  for (const tool of request.hostedTools) {
    const resource = hostedToolEntity(snapshot.directory, selected.provider, tool);
    const asked = { principal, action: 'use_hosted_tool', resource, context } as const;
    join(decidePolicy(rules, asked), `hosted tool \`${tool}\``);
  }
  return { decision, about };
}
