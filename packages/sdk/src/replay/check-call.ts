// Owns the check of one call's intent: its decision taken again under the policy and directory of its place.

import { isObject } from '@countersign/core/json';
import { canonicalJson } from '@countersign/core/ledger/canonical';
import type { CallIntent } from '@countersign/core/ledger/entry';
import { listedRules } from '@countersign/core/ledger/listed-rules';
import { actionNamed } from '@countersign/core/policy/endpoint-actions';
import type { Decision, Obligations } from '@countersign/core/policy/types';
import { checkActor } from './check-actor.ts';
import { checkContext, readContext } from './check-context.ts';
import { checkUntold, untold, untoldReason } from './check-untold.ts';
import { expectSame, listText, type Report } from './difference.ts';
import type { Fold } from './fold.ts';
import { isUnasked, type RetakeInput, type Retaken, retake, selectTarget } from './retake.ts';

/**
 * What became of an intent. `why` says why its decision could not be taken again: a difference was reported then, but
 * for the refusals of which no entry tells more.
 */
export type CheckedCall = {
  readonly outcome: 'allowed' | 'denied' | 'requestable' | 'refused';
  readonly retaken: boolean;
  readonly why: string | undefined;
};

/** An intent that was final has a status; without one the call went ahead. */
function outcomeOf(entry: CallIntent): CheckedCall['outcome'] {
  if (entry.status === 'refused') return 'refused';
  if (entry.policy.decision === 'requestable') return 'requestable';
  return entry.policy.decision === 'allow' && entry.status === undefined ? 'allowed' : 'denied';
}

function obligationsText(obligations: Obligations | undefined): string {
  if (obligations === undefined) return '{}';
  const { redact, content, model, maxTokens } = obligations;
  return canonicalJson({
    redact: redact.length === 0 ? undefined : [...redact],
    content,
    model,
    max_tokens: maxTokens,
  });
}

/** What was recorded of the obligations, without the splices, which show how they were met. */
function recordedObligations(entry: CallIntent): string {
  const { obligations } = entry.policy;
  if (!isObject(obligations)) return '{}';
  const { redact, content, model, max_tokens } = obligations;
  return canonicalJson({ redact, content, model, max_tokens });
}

/** An entry lists as many rules as it may and counts the rest; before there were counts, it listed all. */
function compareRules({ policy }: CallIntent, decision: Decision, report: Report): void {
  const listed = listedRules(decision);
  const rules = policy.more === undefined ? decision.policyIds : listed.rules;
  const more = policy.more === undefined ? undefined : listed.more;
  expectSame(report, 'rules_differ', listText(policy.rules, policy.more), listText(rules, more));
  const erring = decision.errors.map(({ policyId }) => policyId);
  const errors = policy.more_errors === undefined ? erring : listed.errors;
  const moreErrors = policy.more_errors === undefined ? undefined : listed.more_errors;
  const recorded = `errors ${listText(policy.errors, policy.more_errors)}`;
  expectSame(report, 'rules_differ', recorded, `errors ${listText(errors, moreErrors)}`);
}

function compareDecision(entry: CallIntent, decision: Decision, report: Report): void {
  const { policy } = entry;
  expectSame(report, 'decision_differs', policy.decision, decision.outcome);
  if (policy.decision !== decision.outcome) return;
  compareRules(entry, decision, report);
  if (decision.outcome === 'deny' && policy.reason !== undefined)
    expectSame(report, 'reason_differs', policy.reason, decision.reason);
  if (decision.outcome === 'allow')
    expectSame(
      report,
      'obligations_differ',
      recordedObligations(entry),
      obligationsText(decision.obligations),
    );
}

function compareTarget(
  entry: CallIntent,
  retaken: Extract<Retaken, { kind: 'decided' }>,
  report: Report,
): void {
  const { target } = entry;
  const { model, provider } = retaken.selected;
  expectSame(report, 'target_differs', target.resource ?? 'no model', model?.id ?? 'no model');
  expectSame(report, 'target_differs', target.provider ?? 'no provider', provider.name);
  if (entry.status === undefined && target.served !== undefined)
    expectSame(
      report,
      'target_differs',
      `served ${target.served}`,
      `served ${model?.upstreamName ?? 'no model'}`,
    );
}

/** A refusal that is not policy's is about what was asked for, whatever an obligation might have put in its place. */
function compareAsked(
  entry: CallIntent,
  asked: Pick<RetakeInput, 'directory' | 'actor' | 'target'>,
  report: Report,
): void {
  const { endpoint = 'none', resource, provider, served } = entry.target;
  if (actionNamed(endpoint) === undefined)
    report('target_differs', `endpoint ${endpoint}`, 'no endpoint of that name');
  const found = selectTarget(asked);
  const { model, provider: at } =
    typeof found === 'string' ? { model: undefined, provider: undefined } : found;
  expectSame(report, 'target_differs', resource ?? 'no model', model?.id ?? 'no model');
  expectSame(report, 'target_differs', provider ?? 'no provider', at?.name ?? 'no provider');
  if (served !== undefined)
    expectSame(report, 'target_differs', `served ${served}`, `served ${model?.upstreamName ?? 'no model'}`);
}

function comparePolicy(fold: Fold, entry: CallIntent, report: Report): void {
  const { version, hash } = entry.policy;
  const inForce = fold.policy;
  const replayed = inForce === undefined ? 'none' : `${inForce.version} ${inForce.hash}`;
  expectSame(report, 'policy_differs', `${version} ${hash}`, replayed);
}

function compare(entry: CallIntent, input: RetakeInput, retaken: Retaken, report: Report): void {
  const { policy } = entry;
  const { decision, reason } = policy;
  if (retaken.kind === 'unknown_endpoint') {
    report('target_differs', `endpoint ${entry.target.endpoint ?? 'none'}`, 'no endpoint of that name');
    return;
  }
  if (entry.status === 'refused' && isUnasked(reason)) {
    expectSame(report, 'decision_differs', decision, 'deny');
    const found = retaken.kind === 'unasked' ? retaken.reason : `${retaken.decision.outcome} by policy`;
    expectSame(report, 'reason_differs', reason, found);
    if (retaken.kind === 'unasked')
      expectSame(report, 'rules_differ', listText(policy.rules, policy.more), listText([retaken.reason]));
    compareAsked(entry, input, report);
    return;
  }
  if (retaken.kind === 'unasked') {
    report('decision_differs', decision, retaken.reason);
    return;
  }
  compareDecision(entry, retaken.decision, report);
  compareTarget(entry, retaken, report);
}

/** A policy that exhausts the stack when it is asked is one that cannot be used. */
function retakeBounded(input: RetakeInput, report: Report): Retaken | undefined {
  try {
    return retake(input);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it cannot be evaluated';
    report('policy_unusable', 'the policy in force', reason);
    return undefined;
  }
}

/**
 * Takes an intent's decision again and reports every way in which the record differs. INVARIANT: what cannot be
 * taken again is reported: no call passes unexamined. `version` is the fold's, at the intent's place.
 */
export function checkCall(fold: Fold, entry: CallIntent, version: number, report: Report): CheckedCall {
  const outcome = outcomeOf(entry);
  const skipped = (why: string): CheckedCall => ({ outcome, retaken: false, why });
  if (entry.status === undefined && entry.policy.decision !== 'allow')
    report('decision_differs', 'went ahead', entry.policy.decision);
  if (entry.sv !== version) {
    report('version_differs', `decided under ${entry.sv}`, `version ${version} at this place`);
    return skipped('it was decided under another version than that of its place');
  }
  comparePolicy(fold, entry, report);
  const { directory } = fold;
  const checked = checkActor(directory, entry.actor, 'models', Date.parse(entry.ts), report);
  if (checked === undefined) {
    report('actor_not_live', `${entry.actor.kind} called a model`, 'nobody who may');
    return skipped('its actor is not in the directory');
  }
  const context = readContext(entry.ctx);
  if (context === undefined) {
    report('context_differs', 'its input', 'no value of policy');
    return skipped('its context is no value of policy');
  }
  checkContext(directory, entry, context, checked.key, report);
  if (outcome === 'allowed' && !checked.chain.standing.permissions.has('models.call'))
    report('permission_missing', 'went ahead', `${entry.actor.id} lacks models.call there`);
  const reason = untoldReason(entry);
  if (reason !== 'record_too_large' && entry.actor.more_teams !== undefined)
    report('actor_differs', `${entry.actor.more_teams} teams not named`, 'all teams');
  if (reason !== undefined && entry.status === 'refused') {
    checkUntold(entry, reason, context, report);
    compareAsked(entry, { directory, actor: checked.chain, target: entry.target }, report);
    return skipped(untold[reason]);
  }
  if (reason !== undefined) report('reason_differs', `${reason} of a call that was not refused`, 'refused');
  const rules = fold.policy?.rules;
  if (rules === undefined) return skipped('the policy in force has no usable text');
  const input = { directory, rules, actor: checked.chain, target: entry.target, context };
  const retaken = retakeBounded(input, report);
  if (retaken === undefined) return skipped('the policy in force could not be evaluated');
  compare(entry, input, retaken, report);
  return { outcome, retaken: true, why: undefined };
}
