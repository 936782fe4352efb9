// Owns the decision: which rules apply to a request, and what follows from them.

import { unite } from './annotations.ts';
import type { CompiledPolicy, CompiledRule } from './compile.ts';
import { candidates } from './rule-index.ts';
import type { AnyRequest, Decision, PolicyError } from './types.ts';
import { faultMessage } from './values.ts';

/** What evaluation found, before it is judged. Rules are in the order of the text. */
export type Findings = {
  readonly permits: readonly CompiledRule[];
  readonly forbids: readonly CompiledRule[];
  readonly errors: readonly RuleError[];
};

export type RuleError = { readonly rule: CompiledRule; readonly message: string };

function byPosition(a: CompiledRule, b: CompiledRule): number {
  return a.position - b.position;
}

/** Evaluates every rule that may apply. */
export function evaluate(policy: CompiledPolicy, request: AnyRequest): Findings {
  const permits: CompiledRule[] = [];
  const forbids: CompiledRule[] = [];
  const errors: RuleError[] = [];
  const index = policy.byAction.get(request.action);
  if (index === undefined) return { permits, forbids, errors };
  for (const rules of candidates(index, request)) {
    for (const rule of rules) {
      try {
        if (rule.isSatisfied(request)) (rule.effect === 'permit' ? permits : forbids).push(rule);
      } catch (thrown) {
        errors.push({ rule, message: faultMessage(thrown) });
      }
    }
  }
  if (permits.length > 1) permits.sort(byPosition);
  if (forbids.length > 1) forbids.sort(byPosition);
  if (errors.length > 1) errors.sort((a, b) => byPosition(a.rule, b.rule));
  return { permits, forbids, errors };
}

function ids(rules: readonly CompiledRule[]): readonly string[] {
  return rules.map((rule) => rule.id);
}

/**
 * Judges findings. A satisfied forbid denies, and so does one that errs: Cedar skips policies that err, which
 * for a forbid would fail open. A permit that errs does not permit. If nothing permits, the answer is deny.
 */
export function judge({ permits, forbids, errors: found }: Findings): Decision {
  const errors: readonly PolicyError[] = found.map(({ rule, message }) => ({ policyId: rule.id, message }));
  if (forbids.some((rule) => !rule.requestable))
    return { outcome: 'deny', reason: 'forbid', policyIds: ids(forbids), errors };
  const erring = found.filter(({ rule }) => rule.effect === 'forbid').map(({ rule }) => rule);
  if (erring.length > 0) {
    return {
      outcome: 'deny',
      reason: 'error',
      policyIds: ids([...forbids, ...erring].sort(byPosition)),
      errors,
    };
  }
  if (permits.length === 0) {
    return { outcome: 'deny', reason: 'no_permit', policyIds: ids(forbids), errors };
  }
  const obligations = unite(permits);
  if (obligations === 'conflict') {
    const policyIds = ids(permits.filter((rule) => rule.obligations?.model !== undefined));
    return { outcome: 'deny', reason: 'obligation_conflict', policyIds, errors };
  }
  if (forbids.length > 0) return { outcome: 'requestable', policyIds: ids(forbids), errors };
  return { outcome: 'allow', policyIds: ids(permits), obligations, errors };
}

/**
 * Decides one request. Pure and total: a rule that cannot be evaluated is an error in the outcome, never an
 * exception; an action that the schema does not know is denied.
 */
export function decide(policy: CompiledPolicy, request: AnyRequest): Decision {
  return judge(evaluate(policy, request));
}
