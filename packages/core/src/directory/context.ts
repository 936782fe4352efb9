// Owns the context of a decision: everything that policy sees beside principal, action and resource.

import type { Classification } from '../classify/classification.ts';
import type { ActorChain } from '../identity/actor.ts';
import type { RequestContext } from '../policy/types.ts';
import type { Directory } from './directory.ts';
import { workspaceContext } from './entities.ts';

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
  readonly endpoint: string;
  readonly dialect: string;
  readonly stream: boolean;
  /** The output limit that the request names, in tokens. */
  readonly maxOutput: number | undefined;
  readonly hostedTools: readonly string[];
  /** Models that the body names beside its own, in the provider's words. */
  readonly otherModels?: readonly string[] | undefined;
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

function actorContext(directory: Directory, actor: ActorChain) {
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
export function contextOf(directory: Directory, input: ContextInput): RequestContext {
  const { actor, classification, nowMs } = input;
  const counts = classification?.counts ?? {};
  const total = classification === undefined ? 0 : Object.values(counts).reduce((sum, n) => sum + n, 0);
  return {
    ...workspaceContext(directory, actor),
    endpoint: input.endpoint,
    dialect: input.dialect,
    stream: input.stream,
    labels: classification?.labels ?? [],
    counts: { ...counts, total },
    opaque: classification === undefined ? false : classification.opaque || classification.unexamined,
    tokens: input.inputTokens,
    ...(input.maxOutput === undefined ? {} : { maxOutput: input.maxOutput }),
    hostedTools: input.hostedTools,
    ...(input.otherModels === undefined || input.otherModels.length === 0
      ? {}
      : { otherModels: input.otherModels }),
    time: timeContext(nowMs),
    network: input.network,
    authentication: authentication(actor, nowMs),
    ...actorContext(directory, actor),
    claimed: input.claimed,
  };
}
