// Owns the answers that come from memory: the policy in force, and what it would decide.

import type { BodyOf } from '@countersign/contract/operation';
import type { policyCheck } from '@countersign/contract/policy-operations';
import { type Classification, classify } from '@countersign/core/classify/classification';
import { actorContext, contextOf } from '@countersign/core/directory/context';
import { AppError } from '@countersign/core/errors';
import type { ActorChain } from '@countersign/core/identity/actor';
import { isId, type PrincipalId, type WorkspaceId } from '@countersign/core/ids';
import { parseJson } from '@countersign/core/parse-json';
import { type CompiledPolicy, compilePolicy } from '@countersign/core/policy/compile';
import { decide } from '@countersign/core/policy/decide';
import { actionOnModel, modelEndpoints } from '@countersign/core/policy/endpoint-actions';
import { explain, type RuleTrace } from '@countersign/core/policy/explain';
import type { Decision, DecisionRequest } from '@countersign/core/policy/types';
import type { OrgSnapshot } from '../services/snapshot/org-snapshot.ts';
import type { Prepared } from './command.ts';
import type { LiveOperation } from './manager.ts';
import { supposedLabels } from './supposed-labels.ts';

type Question = BodyOf<typeof policyCheck>;

function isQuestion(value: unknown): value is Question {
  // INVARIANT: the protocol has parsed the body by the operation's own schema.
  return typeof value === 'object' && value !== null && 'principal' in value && 'model' in value;
}

function workspaceOf(
  snapshot: OrgSnapshot,
  principalId: PrincipalId,
  asked: WorkspaceId | undefined,
): WorkspaceId {
  const { directory } = snapshot;
  if (asked !== undefined) return asked;
  const own =
    directory.tables.service.get(principalId)?.workspaceId ??
    directory.tables.agent.get(principalId)?.workspaceId;
  if (own !== undefined) return own;
  for (const { workspaceId } of directory.byPrincipal.roles.get(principalId)?.values() ?? []) {
    if (workspaceId !== undefined) return workspaceId;
  }
  const [first] = directory.tables.workspace.values();
  if (first === undefined)
    throw new AppError('not_found', 'the organization has no workspace: make one first');
  return first.id;
}

/** The chain that a credential of this principal would resolve to. */
function actorFor(snapshot: OrgSnapshot, question: Question): ActorChain {
  const { directory } = snapshot;
  const id = question.principal;
  const common = {
    application: undefined,
    keyId: undefined,
    environment: undefined,
    narrowedTo: undefined,
    token: undefined,
    proof: 'key',
  } as const;
  if (isId('user', id) && directory.tables.user.has(id)) {
    const standing = snapshot.standing(id, workspaceOf(snapshot, id, question.workspaceId));
    return { ...common, kind: 'user', principalId: id, person: id, agents: [], standing };
  }
  if (isId('service', id) && directory.tables.service.has(id)) {
    const standing = snapshot.standing(id, workspaceOf(snapshot, id, question.workspaceId));
    return {
      ...common,
      kind: 'service',
      principalId: id,
      person: undefined,
      agents: [],
      application: id,
      standing,
    };
  }
  const agent = isId('agent', id) ? directory.tables.agent.get(id) : undefined;
  if (agent === undefined) throw new AppError('not_found', `there is no principal \`${id}\``);
  const standing = snapshot.standing(agent.ownerId, question.workspaceId ?? agent.workspaceId);
  return {
    ...common,
    kind: 'user',
    principalId: agent.ownerId,
    person: agent.ownerId,
    agents: [agent.id],
    standing,
  };
}

/** Of the prompt, or as supposed. */
function classificationOf(snapshot: OrgSnapshot, { prompt, labels: supposed }: Question): Classification {
  if (prompt !== undefined && supposed !== undefined)
    throw new AppError('invalid_request', '`labels` stand in place of a `prompt`: give one of them');
  const found = classify([{ kind: 'text', role: 'user', text: prompt ?? '' }], snapshot.classifiers());
  if (supposed === undefined) return found;
  const own = [...snapshot.directory.tables.classifier.values()].map(({ label }) => label);
  const labels = supposedLabels(supposed, own);
  const counts = Object.fromEntries(labels.map((label) => [label, 1]));
  return { ...found, labels, counts, opaque: labels.includes('opaque') };
}

function requestOf(
  snapshot: OrgSnapshot,
  question: Question,
  now: number,
  networks: readonly string[],
): DecisionRequest {
  const { directory } = snapshot;
  const actor = actorFor(snapshot, question);
  const model = directory.modelsByName.get(question.model);
  const provider = model === undefined ? undefined : directory.tables.provider.get(model.providerId);
  if (model === undefined || provider === undefined)
    throw new AppError('not_found', `there is no model \`${question.model}\``);
  const action = actionOnModel(question.endpoint);
  if (action === undefined) {
    const known = modelEndpoints.join(', ');
    throw new AppError('invalid_request', `\`${question.endpoint}\` is no endpoint: choose one of ${known}`);
  }
  const classification = classificationOf(snapshot, question);
  const context = contextOf(actorContext(directory, actor), {
    endpoint: question.endpoint,
    dialect: question.endpoint === 'messages' ? 'anthropic' : 'openai',
    stream: false,
    maxOutput: undefined,
    hostedTools: [],
    actor,
    classification,
    network: networks,
    inputTokens: Math.ceil((question.prompt ?? '').length / 4),
    claimed: { tags: [] },
    nowMs: question.at === undefined ? now : Date.parse(question.at),
  });
  return { principal: snapshot.principal(actor), action, resource: snapshot.model(model, provider), context };
}

function policyFor(snapshot: OrgSnapshot, prepared: Prepared): CompiledPolicy {
  if (prepared?.kind !== 'policy') return snapshot.policy().rules;
  const est: unknown = parseJson(prepared.compiled);
  const compiled = Array.isArray(est) ? compilePolicy(est) : undefined;
  if (compiled?.ok !== true)
    throw new AppError('policy_invalid', 'the policy does not compile: publish it to see why');
  return compiled.policy;
}

function answerOf(snapshot: OrgSnapshot, decision: Decision, labels: readonly string[]) {
  const obligations = decision.outcome === 'allow' ? decision.obligations : undefined;
  return {
    decision: decision.outcome,
    reason: decision.outcome === 'deny' ? decision.reason : decision.outcome,
    rules: [...decision.policyIds],
    obligations: [
      ...(obligations?.redact ?? []).map((label) => `redact ${label}`),
      ...(obligations?.content === undefined ? [] : [`content ${obligations.content}`]),
      ...(obligations?.model === undefined ? [] : [`model ${obligations.model}`]),
      ...(obligations?.maxTokens === undefined ? [] : [`max_tokens ${obligations.maxTokens}`]),
    ],
    labels: [...labels],
    version: snapshot.policy().version,
  };
}

function traceOf(trace: RuleTrace) {
  return {
    id: trace.policyId,
    effect: trace.effect,
    outcome: trace.outcome,
    conditions: trace.conditions.flatMap(({ kind, terms }) =>
      terms.map((term) => ({
        text: `${kind} ${term.text}`,
        value: [
          term.message ?? term.outcome,
          ...term.reads.map(({ path, value }) => `${path} = ${value}`),
        ].join('; '),
      })),
    ),
  };
}

/** The live operations over policy. `now` is in milliseconds. */
export function liveOperations(
  now: () => number,
  networksOf: (snapshot: OrgSnapshot, address: string) => readonly string[],
): readonly (readonly [string, LiveOperation])[] {
  function ask(snapshot: OrgSnapshot, body: unknown) {
    if (!isQuestion(body)) throw new AppError('internal', 'the question was not parsed');
    const networks = body.address === undefined ? [] : networksOf(snapshot, body.address);
    return requestOf(snapshot, body, now(), networks);
  }
  const check: LiveOperation = (snapshot, _actor, { body }, prepared) => {
    const request = ask(snapshot, body);
    return answerOf(snapshot, decide(policyFor(snapshot, prepared), request), request.context.labels);
  };
  const explained: LiveOperation = (snapshot, _actor, { body }, prepared) => {
    const request = ask(snapshot, body);
    const { decision, rules } = explain(policyFor(snapshot, prepared), request);
    return { ...answerOf(snapshot, decision, request.context.labels), evaluated: rules.map(traceOf) };
  };
  const get: LiveOperation = (snapshot) => {
    const { version, hash } = snapshot.policy();
    return { version, hash, text: snapshot.policy().text };
  };
  return [
    ['policy.check', check],
    ['policy.explain', explained],
    ['policy.get', get],
  ];
}
