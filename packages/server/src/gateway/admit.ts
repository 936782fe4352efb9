// Owns steps 3 to 6 as one synchronous whole over one version: who, which model, what is in it, may it, what it may cost.

import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import type { SpliceRecord } from '@countersign/core/dialects/splice';
import { contextOf } from '@countersign/core/directory/context';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import { refusalError } from '@countersign/core/metering/limit-answer';
import type { Decision, Obligations, RequestContext } from '@countersign/core/policy/types';
import type { Authenticated } from '../services/callers/authenticate.ts';
import { resolve } from '../services/callers/resolve.ts';
import type { Reservation } from '../services/meter/state.ts';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import type { InboundCall } from './call.ts';
import type { GatewayDeps } from './deps.ts';
import { claimedLabels } from './steps/claimed.ts';
import { type Classified, classify } from './steps/classify.ts';
import { decideCall } from './steps/decide.ts';
import { fulfil } from './steps/obligations.ts';
import { capsOf, costCentreOf, dimensionsOf, type WorstCase, worstCaseOf } from './steps/reserve.ts';
import { type Selected, selectModel, type Unselected } from './steps/select-model.ts';

/** What is the same for every try at deciding one call. */
export type Asked = {
  readonly call: InboundCall;
  readonly authenticated: Authenticated<OrgSnapshot>;
  readonly request: InferenceRequest;
  readonly body: Uint8Array;
};

/** What both ends of a decision are recorded with. */
export type Decided = {
  readonly version: number;
  readonly actor: ActorChain;
  readonly costCentre: string | undefined;
  readonly selected: Selected | undefined;
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

const denied = (reason: string): Decision & { readonly outcome: 'deny' } => ({
  outcome: 'deny',
  reason: 'no_permit',
  policyIds: [reason],
  errors: [],
});

/** The sentence of a denial: which rules, by their ids, and nothing of what they say. */
export function denialError(decision: Exclude<Decision, { readonly outcome: 'allow' }>): AppError {
  const rules = decision.policyIds.map((id) => `\`${id}\``).join(', ');
  if (decision.outcome === 'requestable') {
    return new AppError(
      'approval_required',
      `this call needs an approval (rule ${rules}): ask your administrator`,
    );
  }
  const why = {
    forbid: `rule ${rules} forbids this call`,
    no_permit: 'no rule permits this call',
    error: `rule ${rules} could not be evaluated, and so denies`,
    obligation_conflict: `rules ${rules} ask for different models`,
  }[decision.reason];
  return new AppError('policy_denied', `${why}: ask your administrator, naming the record`);
}

function resolveOthers(
  asked: Asked,
  actor: ActorChain,
): { readonly others: readonly Selected[] } | { readonly missing: Unselected } {
  const others: Selected[] = [];
  for (const name of asked.request.otherModels) {
    const other = selectModel(asked.authenticated.snapshot, actor, name, undefined);
    if ('error' in other) return { missing: other };
    others.push(other);
  }
  return { others };
}

/** A model that an obligation names instead: decided on by itself, so that an alias opens nothing. */
function substitute(
  asked: Asked,
  actor: ActorChain,
  context: RequestContext,
  selected: Selected,
  decision: Decision,
): { readonly selected: Selected; readonly decision: Decision } {
  if (decision.outcome !== 'allow' || decision.obligations.model === undefined) return { selected, decision };
  const { snapshot } = asked.authenticated;
  const other = selectModel(snapshot, actor, decision.obligations.model, undefined);
  if ('error' in other) return { selected, decision: denied('obligation-model-unknown') };
  const again = decideCall(snapshot, actor, other, [], asked.request, context);
  if (again.outcome !== 'allow') return { selected, decision: again };
  return {
    selected: other,
    decision: { ...again, obligations: { ...decision.obligations, model: other.model.name } },
  };
}

/**
 * Decides one call on the snapshot as it is now and, if it may go, reserves its worst case. Synchronous:
 * everything that it reads belongs to one version. Throws `authentication_failed` if the credential has ended.
 */
export function admit(deps: GatewayDeps, asked: Asked, before: Classified | undefined): Admission {
  const { call, authenticated, request } = asked;
  const { snapshot } = authenticated;
  const { actor, version } = resolve(deps, call, authenticated, 'models');
  const nowMs = deps.now();
  const organization = snapshot.organization();
  const classified = classify(request, snapshot.classifiers(), deps.clock, before);
  const found = selectModel(snapshot, actor, request.model, call.endpoint.provider);
  const others = resolveOthers(asked, actor);
  const costCentre = costCentreOf(snapshot, actor);
  const known = 'error' in found ? undefined : found;
  const caps = known === undefined ? undefined : capsOf(organization, known.model, undefined);
  const priced = known === undefined ? undefined : snapshot.price(known.model, known.provider);
  const worstBefore =
    caps === undefined || priced === undefined ? undefined : worstCaseOf(request, caps, priced);
  const context = contextOf(snapshot.directory, {
    endpoint: call.endpoint.id,
    dialect: call.endpoint.dialect,
    stream: request.stream,
    maxOutput: request.maxOutputTokens,
    hostedTools: request.hostedTools,
    actor,
    classification: classified.classification,
    network: deps.networksOf(snapshot, call.address),
    inputTokens: worstBefore?.input ?? 0,
    claimed: claimedLabels(call, request),
    nowMs,
  });
  const common = {
    version,
    actor,
    costCentre,
    context,
    classified,
    obligations: noObligations,
    worst: undefined,
  };
  const missing = 'error' in found ? found : 'missing' in others ? others.missing : undefined;
  if (missing !== undefined || known === undefined || 'missing' in others) {
    const error = missing?.error ?? new AppError('not_found', 'the model is not known');
    const reason = missing?.reason ?? 'unknown_model';
    const decided = { ...common, selected: known, decision: denied(reason), reason };
    return { kind: 'refused', decided, error, isPolicy: false };
  }
  if (!actor.standing.permissions.has('models.call')) {
    const error = new AppError(
      'permission_denied',
      'your role may not call models here: ask for the role `member`',
    );
    const decided = {
      ...common,
      selected: known,
      decision: denied('no_permission'),
      reason: 'no_permission',
    };
    return { kind: 'refused', decided, error, isPolicy: false };
  }
  const first = decideCall(snapshot, actor, known, others.others, request, context);
  const { selected, decision } = substitute(asked, actor, context, known, first);
  if (decision.outcome !== 'allow') {
    const reason = decision.outcome === 'deny' ? decision.reason : undefined;
    const decided = { ...common, selected, decision, reason };
    return { kind: 'refused', decided, error: denialError(decision), isPolicy: true };
  }
  return admitAllowed(deps, asked, { ...common, selected, decision, reason: undefined });
}

function admitAllowed(
  deps: GatewayDeps,
  asked: Asked,
  allowed: Decided & {
    readonly selected: Selected;
    readonly decision: Extract<Decision, { readonly outcome: 'allow' }>;
  },
): Admission {
  const { snapshot } = asked.authenticated;
  const { selected, actor, costCentre } = allowed;
  const { obligations } = allowed.decision;
  const caps = capsOf(snapshot.organization(), selected.model, obligations.maxTokens);
  const worst = worstCaseOf(asked.request, caps, snapshot.price(selected.model, selected.provider));
  const decided: Decided = { ...allowed, obligations, worst };
  const dims = dimensionsOf(actor, selected.model, costCentre);
  const spliced = fulfil(
    asked.request,
    asked.body,
    selected.model.upstreamName,
    obligations,
    snapshot.classifiers(),
  );
  const reserved = deps.meter.reserve(snapshot.orgId, dims, worst.nanos, worst.tokens);
  if (reserved.kind === 'refused') {
    const error = refusalError(reserved, deps.now());
    return { kind: 'refused', decided: { ...decided, reason: reserved.code }, error, isPolicy: false };
  }
  return {
    kind: 'admitted',
    decided,
    selected,
    worst,
    reservation: reserved,
    body: spliced.bytes,
    splices: spliced.records,
  };
}
