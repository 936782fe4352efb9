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

/** A key says nothing of how its holder was authenticated. */
const byKey: RequestContext['authentication'] = { proof: 'key', amr: [], strength: 0 };

function authentication(actor: ActorChain, nowMs: number): RequestContext['authentication'] {
  if (actor.token === undefined && actor.proof === 'key') return byKey;
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

/** What the context says of the actor alone: the same for every call that a key resolves to in one version. */
export type ActorContext = Pick<
  RequestContext,
  'workspace' | 'workspaceName' | 'key' | 'application' | 'customer' | 'agent'
>;

function agentContext(directory: Directory, actor: ActorChain): Pick<RequestContext, 'agent'> {
  const [agentId] = actor.agents;
  if (agentId === undefined) return {};
  const name = directory.tables.agent.get(agentId)?.name;
  const named = name === undefined ? {} : { name };
  return { agent: { id: agentId, ...named, chain: actor.agents, depth: actor.agents.length } };
}

/** Reads from the directory what the context of a call says of its actor. */
export function actorContext(directory: Directory, actor: ActorChain): ActorContext {
  const application =
    actor.application === undefined ? undefined : directory.tables.service.get(actor.application);
  const key = actor.keyId === undefined ? undefined : directory.tables.key.get(actor.keyId);
  return {
    ...workspaceContext(directory, actor),
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
    ...agentContext(directory, actor),
  };
}

const nothingCounted: RequestContext['counts'] = { total: 0 };

function countsOf(classification: Classification | undefined): RequestContext['counts'] {
  if (classification === undefined || classification.labels.length === 0) return nothingCounted;
  const { counts } = classification;
  return { ...counts, total: Object.values(counts).reduce((sum, n) => sum + n, 0) };
}

const noLabels: readonly string[] = [];
const nothingClaimed: RequestContext['claimed'] = { tags: [] };

/** A context under construction: members that a call does not have must be absent, not undefined. */
type Draft = { -readonly [K in keyof RequestContext]: RequestContext[K] };

/**
 * The decision's whole input beside principal, action and resource: what the intent entry records as `ctx`.
 * `own` is what `actorContext` says of the same actor. Runs on the hot path.
 */
export function contextOf(own: ActorContext, input: ContextInput): RequestContext {
  const { actor, classification, nowMs } = input;
  const context: Draft = {
    workspace: own.workspace,
    workspaceName: own.workspaceName,
    endpoint: input.endpoint,
    dialect: input.dialect,
    stream: input.stream,
    labels: classification?.labels ?? noLabels,
    counts: countsOf(classification),
    opaque: classification === undefined ? false : classification.opaque || classification.unexamined,
    tokens: input.inputTokens,
    hostedTools: input.hostedTools,
    time: timeContext(nowMs),
    network: input.network,
    authentication: authentication(actor, nowMs),
    claimed: input.claimed,
  };
  if (input.otherModels !== undefined && input.otherModels.length > 0)
    context.otherModels = input.otherModels;
  if (input.maxOutput !== undefined) context.maxOutput = input.maxOutput;
  if (own.key !== undefined) context.key = own.key;
  if (own.application !== undefined) context.application = own.application;
  if (own.customer !== undefined) context.customer = own.customer;
  if (own.agent !== undefined) context.agent = own.agent;
  return context;
}

/** What a context says of a prompt and of what is named beside it, where there is none of that. */
export const emptyPrompt = {
  labels: noLabels,
  counts: nothingCounted,
  opaque: false,
  hostedTools: noLabels,
  claimed: nothingClaimed,
} as const;

/** The context of the same call with an empty prompt, no hosted tools, no other models and no claims: it is short. */
export function withoutPrompt({ otherModels: _others, ...context }: RequestContext): RequestContext {
  return { ...context, ...emptyPrompt };
}
