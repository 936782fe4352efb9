// Owns step 5: the decision over a call, its hosted tools and every other model that it names.

import type { Classification } from '@countersign/core/classify/classification';
import type { EndpointId } from '@countersign/core/dialects/endpoints';
import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import { hostedToolEntity, workspaceContext } from '@countersign/core/directory/entities';
import type { ActorChain } from '@countersign/core/identity/actor';
import type { ActionName } from '@countersign/core/policy/actions';
import { decide as decidePolicy } from '@countersign/core/policy/decide';
import type { Decision, EntityView, RequestContext } from '@countersign/core/policy/types';
import type { OrgSnapshot } from '../../services/snapshot/org-snapshot.ts';
import type { InboundCall } from '../call.ts';
import type { Selected } from './select-model.ts';

const actions: { readonly [E in EndpointId]: ActionName } = {
  chat: 'chat',
  responses: 'chat',
  messages: 'chat',
  response_compact: 'chat',
  response_object: 'chat',
  completions: 'complete',
  embeddings: 'embed',
  count_tokens: 'count_tokens',
  response_tokens: 'count_tokens',
  models: 'list_models',
  passthrough: 'passthrough',
};

/** The action that an endpoint is to policy. */
export function actionOf(endpoint: EndpointId): ActionName {
  return actions[endpoint];
}

/** RFC 8176 names: what counts as a second factor, and what resists phishing. */
const secondFactors: ReadonlySet<string> = new Set(['mfa', 'otp', 'hwk', 'swk', 'sms']);
const resistant: ReadonlySet<string> = new Set(['hwk', 'phr', 'phrh']);

function strengthOf(actor: ActorChain): number {
  if (actor.token === undefined) return 0;
  const { amr } = actor.token;
  if (amr.some((method) => resistant.has(method))) return 3;
  return amr.some((method) => secondFactors.has(method)) ? 2 : 1;
}

function authentication(actor: ActorChain, nowMs: number): RequestContext['authentication'] {
  const authTime = actor.token?.authTime;
  return {
    proof: actor.proof,
    amr: actor.token?.amr ?? [],
    strength: strengthOf(actor),
    ...(authTime === undefined ? {} : { age: Math.max(0, Math.floor(nowMs / 1000) - authTime) }),
  };
}

export type ContextInput = {
  readonly call: InboundCall;
  readonly request: InferenceRequest | undefined;
  readonly actor: ActorChain;
  readonly classification: Classification | undefined;
  readonly network: readonly string[];
  readonly inputTokens: number;
  readonly claimed: RequestContext['claimed'];
  readonly nowMs: number;
};

const hourMs = 3_600_000;
const dayMs = 86_400_000;

function timeContext(nowMs: number): RequestContext['time'] {
  const days = Math.floor(nowMs / dayMs);
  return {
    epoch: Math.floor(nowMs / 1000),
    hour: Math.floor((nowMs % dayMs) / hourMs),
    // 1970-01-01 was a Thursday: 1 is Monday.
    weekday: ((days + 3) % 7) + 1,
  };
}

function actorContext(snapshot: OrgSnapshot, actor: ActorChain) {
  const { directory } = snapshot;
  const application =
    actor.application === undefined ? undefined : directory.tables.service.get(actor.application);
  const [agentId] = actor.agents;
  const agentName = agentId === undefined ? undefined : directory.tables.agent.get(agentId)?.name;
  const key = actor.keyId === undefined ? undefined : directory.tables.key.get(actor.keyId);
  return {
    ...(key === undefined
      ? {}
      : {
          key: {
            id: key.id,
            ...(key.environment === undefined ? {} : { environment: key.environment }),
            ...(key.costCentre === undefined ? {} : { costCentre: key.costCentre }),
          },
        }),
    ...(application === undefined ? {} : { application: { id: application.id, name: application.name } }),
    ...(actor.token?.customer === undefined ? {} : { customer: actor.token.customer }),
    ...(agentId === undefined
      ? {}
      : {
          agent: {
            id: agentId,
            ...(agentName === undefined ? {} : { name: agentName }),
            chain: actor.agents,
            depth: actor.agents.length,
          },
        }),
  };
}

/** The decision's whole input beside principal, action and resource: what the intent entry records as `ctx`. */
export function contextOf(snapshot: OrgSnapshot, input: ContextInput): RequestContext {
  const { call, request, actor, classification, nowMs } = input;
  const counts = classification?.counts ?? {};
  const total = classification === undefined ? 0 : Object.values(counts).reduce((sum, n) => sum + n, 0);
  return {
    ...workspaceContext(snapshot.directory, actor),
    endpoint: call.endpoint.id,
    dialect: call.endpoint.dialect,
    stream: request?.stream ?? false,
    labels: classification?.labels ?? [],
    counts: { ...counts, total },
    opaque: classification === undefined ? false : classification.opaque || classification.unexamined,
    tokens: input.inputTokens,
    ...(request?.maxOutputTokens === undefined ? {} : { maxOutput: request.maxOutputTokens }),
    hostedTools: request?.hostedTools ?? [],
    time: timeContext(nowMs),
    network: input.network,
    authentication: authentication(actor, nowMs),
    ...actorContext(snapshot, actor),
    claimed: input.claimed,
  };
}

/** The strictest of several decisions: a denial, else what needs approval, else all permits together. */
function strictest(first: Decision, second: Decision): Decision {
  if (first.outcome === 'deny') return first;
  if (second.outcome !== 'allow')
    return first.outcome === 'allow' || second.outcome === 'deny' ? second : first;
  return first;
}

/** Everything besides the model itself that a call must be allowed to touch. */
function besides(
  snapshot: OrgSnapshot,
  selected: Selected,
  request: InferenceRequest,
): readonly EntityView[] {
  return request.hostedTools.map((tool) => hostedToolEntity(snapshot.directory, selected.provider, tool));
}

/** The decision over a model call: the model, each hosted tool, each other model that the body names. */
export function decideCall(
  snapshot: OrgSnapshot,
  actor: ActorChain,
  selected: Selected,
  others: readonly Selected[],
  request: InferenceRequest,
  context: RequestContext,
): Decision {
  const principal = snapshot.principal(actor);
  const { rules } = snapshot.policy();
  const action = actionOf(request.endpoint);
  const resource = snapshot.model(selected.model, selected.provider);
  let decision = decidePolicy(rules, { principal, action, resource, context });
  for (const other of others) {
    const also = snapshot.model(other.model, other.provider);
    decision = strictest(decision, decidePolicy(rules, { principal, action, resource: also, context }));
  }
  for (const tool of besides(snapshot, selected, request)) {
    const request = { principal, action: 'use_hosted_tool', resource: tool, context } as const;
    decision = strictest(decision, decidePolicy(rules, request));
  }
  return decision;
}
