// Owns steps 3 to 6 as one synchronous whole over one version: who, which model, what is in it, may it, what it may cost.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import type { SpliceRecord } from '@countersign/core/dialects/splice';
import { inputBound } from '@countersign/core/dialects/token-bounds';
import { contextOf } from '@countersign/core/directory/context';
import { opensSealed, sealedElsewhere } from '@countersign/core/directory/decide-on-call';
import type { Provider } from '@countersign/core/directory/objects';
import type { ContentMode } from '@countersign/core/directory/scalars';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import { refusalError } from '@countersign/core/metering/limit-answer';
import { substituted } from '@countersign/core/policy/strictest';
import type { Decision, Obligations, RequestContext } from '@countersign/core/policy/types';
import type { Authenticated } from '../services/callers/authenticate.ts';
import { resolve } from '../services/callers/resolve.ts';
import type { Reservation } from '../services/meter/state.ts';
import type { ActorFacts } from '../services/snapshot/actor-facts.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import type { InboundCall } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import { claimedLabels } from './steps/claimed.ts';
import { type Classified, classify } from './steps/classify.ts';
import { type DecidedCall, decideCall } from './steps/decide.ts';
import { denialError, denied, foundIn } from './steps/denial.ts';
import { contentModeOf, fulfil } from './steps/obligations.ts';
import { plainModel, plainModels } from './steps/plain-words.ts';
import { type CheckedState, heldElsewhere } from './steps/provider-state.ts';
import { capsOf, type WorstCase, worstOf } from './steps/reserve.ts';
import {
  type Selected,
  selectModel,
  selectNamed,
  selectTarget,
  type Unselected,
} from './steps/select-model.ts';

/** What is the same for every try at deciding one call. */
export type Asked = CheckedState & {
  readonly call: InboundCall;
  readonly authenticated: Authenticated<OrgSnapshot>;
  readonly request: InferenceRequest;
  readonly body: Uint8Array;
};

/** What both ends of a decision are recorded with. */
export type Decided = {
  readonly version: number;
  /** The policy that decided, and how content is kept, as they were then. */
  readonly policy: { readonly version: number; readonly hash: string };
  readonly content: ContentMode;
  readonly actor: ActorChain;
  /** What follows from the actor in this version. */
  readonly facts: ActorFacts;
  readonly selected: Selected | undefined;
  /** The model's name as it was asked for; of one that is none here a commitment, where it may be anything. */
  readonly asked: string;
  readonly decision: Decision;
  /** Why, where it is not the policy's own word. */
  readonly reason: string | undefined;
  readonly context: RequestContext;
  readonly classified: Classified;
  readonly obligations: Obligations;
  readonly worst: WorstCase | undefined;
};

export type Admission =
  | {
      readonly kind: 'refused';
      readonly decided: Decided;
      readonly error: AppError;
      readonly isPolicy: boolean;
    }
  | {
      readonly kind: 'admitted';
      readonly decided: Decided;
      readonly selected: Selected;
      /** Models that the provider may run instead or beside. */
      readonly others: readonly Selected[];
      readonly worst: WorstCase;
      readonly reservation: Reservation;
      /** The body as it leaves, and what was changed in it. */
      readonly body: Uint8Array;
      readonly splices: readonly SpliceRecord[];
    };

export const noObligations: Obligations = {
  redact: [],
  content: undefined,
  model: undefined,
  maxTokens: undefined,
};

function resolveOthers(
  asked: Asked,
  actor: ActorChain,
  provider: Provider,
): { readonly others: readonly Selected[] } | { readonly missing: Unselected } {
  const others: Selected[] = [];
  for (const name of asked.request.otherModels) {
    const named = selectNamed(asked.authenticated.snapshot, actor, name, provider);
    if ('error' in named) return { missing: named };
    others.push(...named);
  }
  return { others };
}

/** A model that an obligation names instead: decided on by itself, so that an alias opens nothing. */
function substitute(
  asked: Asked,
  actor: ActorChain,
  context: RequestContext,
  selected: Selected,
  others: readonly Selected[],
  decision: Decision,
): DecidedCall & { readonly selected: Selected; readonly others: readonly Selected[] } {
  const about = undefined;
  if (decision.outcome !== 'allow' || decision.obligations.model === undefined)
    return { selected, others, decision, about };
  const { snapshot } = asked.authenticated;
  const other = selectModel(snapshot, actor, decision.obligations.model, undefined);
  const unknown = { selected, others, decision: denied('obligation-model-unknown'), about };
  if ('error' in other) return unknown;
  // What the body names beside its model is read by the other model's provider now.
  const named = resolveOthers(asked, actor, other.provider);
  if ('missing' in named || sealedElsewhere(context.labels, other.provider)) return unknown;
  const again = decideCall(snapshot, actor, other, named.others, asked, context);
  if (again.decision.outcome !== 'allow') return { selected, others, ...again };
  const joined = substituted(decision, again.decision, other.model.name);
  return { selected: other, others: named.others, decision: joined, about };
}

/** What is known of a call before it is decided. */
type Surveyed = Omit<Decided, 'selected' | 'decision' | 'reason' | 'worst'> & {
  readonly found: Selected | Unselected;
  readonly others: ReturnType<typeof resolveOthers>;
};

function survey(deps: GatewayDeps, asked: Asked, before: Classified | undefined): Surveyed {
  const { call, authenticated, request } = asked;
  const { snapshot } = authenticated;
  const { actor, version } = resolve(deps, call, authenticated, 'models');
  const organization = snapshot.organization();
  const found = selectTarget(snapshot, actor, call.endpoint, request.model, asked.owned);
  const isOpened = !('error' in found) && opensSealed(found.provider);
  const classified = classify(request, snapshot, isOpened, deps, before);
  const { classification } = classified;
  const facts = snapshot.facts(actor);
  const commit = (text: string): string => deps.commitClaim(snapshot.orgId, text);
  const context = contextOf(facts.context, {
    endpoint: call.endpoint.id,
    dialect: call.endpoint.dialect,
    stream: request.stream,
    maxOutput: request.maxOutputTokens,
    hostedTools: request.hostedTools,
    otherModels: plainModels(request.otherModels, commit),
    actor,
    classification,
    network: deps.networksOf(snapshot, call.address),
    inputTokens: inputBound(request, capsOf(organization, 'error' in found ? undefined : found, undefined)),
    claimed: claimedLabels(call, request, commit),
    nowMs: deps.now(),
  });
  return {
    version,
    policy: snapshot.policy(),
    content: contentModeOf(organization, classification.labels, noObligations),
    actor,
    facts,
    context,
    classified,
    obligations: noObligations,
    found,
    asked: 'error' in found && request.model !== '' ? plainModel(request.model, commit) : request.model,
    others: 'error' in found ? { others: [] } : resolveOthers(asked, actor, found.provider),
  };
}

type Unallowed = {
  readonly selected: Selected | undefined;
  readonly decision: Decision;
  readonly reason: string | undefined;
};

function refuse(surveyed: Surveyed, what: Unallowed, error: AppError, isPolicy: boolean): Admission {
  return { kind: 'refused', decided: { ...surveyed, ...what, worst: undefined }, error, isPolicy };
}

/** An id at the provider that is not of this principal's making. */
function refuseForeign(surveyed: Surveyed, error: AppError): Admission {
  const { found } = surveyed;
  const reason = 'foreign_id';
  const selected = 'error' in found ? undefined : found;
  return refuse(surveyed, { selected, decision: denied(reason), reason }, error, false);
}

/**
 * Decides one call on the snapshot as it is now and, if it may go, reserves its worst case. Synchronous:
 * everything that it reads belongs to one version. Throws `authentication_failed` if the credential has ended.
 */
export function admit(deps: GatewayDeps, asked: Asked, before: Classified | undefined): Admission {
  const { snapshot } = asked.authenticated;
  const surveyed = survey(deps, asked, before);
  const { actor, context, found, others } = surveyed;
  // Whether an endpoint may be passed through at all is policy's first word, and about no id.
  if (asked.foreign !== undefined && asked.call.endpoint.id !== 'passthrough')
    return refuseForeign(surveyed, asked.foreign);
  if ('error' in found) {
    const what = { selected: undefined, decision: denied(found.reason), reason: found.reason };
    return refuse(surveyed, what, found.error, false);
  }
  if ('missing' in others) {
    const { reason, error } = others.missing;
    return refuse(surveyed, { selected: found, decision: denied(reason), reason }, error, false);
  }
  if (!actor.standing.permissions.has('models.call')) {
    const reason = 'no_permission';
    const message = 'your role may not call models here: ask for the role `member`';
    const what = { selected: found, decision: denied(reason), reason };
    return refuse(surveyed, what, new AppError('permission_denied', message), false);
  }
  const first = decideCall(snapshot, actor, found, others.others, asked, context);
  const second = substitute(asked, actor, context, found, others.others, first.decision);
  const { selected, decision } = second;
  if (decision.outcome !== 'allow') {
    const reason = decision.outcome === 'deny' ? decision.reason : undefined;
    const about = first.about ?? second.about ?? 'this call';
    const prompt = foundIn(context.labels, asked.request.parts);
    return refuse(surveyed, { selected, decision, reason }, denialError(decision, about, prompt), true);
  }
  if (asked.foreign !== undefined) return refuseForeign(surveyed, asked.foreign);
  // An obligation may have sent the call to another provider than the one that keeps what it names.
  if (asked.heldAt?.has(selected.provider.id) === false) return refuseForeign(surveyed, heldElsewhere());
  return admitAllowed(deps, asked, surveyed, second.others, selected, decision);
}

function admitAllowed(
  deps: GatewayDeps,
  asked: Asked,
  surveyed: Surveyed,
  others: readonly Selected[],
  selected: Selected,
  decision: Extract<Decision, { readonly outcome: 'allow' }>,
): Admission {
  const { snapshot } = asked.authenticated;
  const { classified } = surveyed;
  const { obligations } = decision;
  const organization = snapshot.organization();
  const worst = worstOf(snapshot, asked.request, [selected, ...others], obligations);
  const content = contentModeOf(organization, classified.classification.labels, obligations);
  const decided: Decided = {
    ...surveyed,
    selected,
    decision,
    reason: undefined,
    obligations,
    worst,
    content,
  };
  const upstreamName = selected.model?.upstreamName ?? asked.request.model;
  const spliced = fulfil(asked.request, asked.body, upstreamName, obligations, snapshot.classifiers());
  if (spliced instanceof AppError) {
    const unmet = { reason: 'obligation_unmet', worst: undefined };
    return { kind: 'refused', decided: { ...decided, ...unmet }, error: spliced, isPolicy: false };
  }
  const dims = surveyed.facts.dimensions(selected.model, others);
  const reserved = deps.meter.reserve(snapshot.orgId, dims, worst.nanos, worst.tokens);
  if (reserved.kind === 'refused') {
    const error = refusalError(reserved, deps.now());
    return { kind: 'refused', decided: { ...decided, reason: reserved.code }, error, isPolicy: false };
  }
  const { bytes: body, records: splices } = spliced;
  return { kind: 'admitted', decided, selected, others, worst, reservation: reserved, body, splices };
}
