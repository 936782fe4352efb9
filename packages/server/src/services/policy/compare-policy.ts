// Owns the self-test of a compiled policy: random requests answered by our rules and by Cedar.

import * as cedar from '@cedar-policy/cedar-wasm/nodejs';
import { toCedarCall } from '@countersign/core/policy/cedar-request';
import type { CompiledPolicy } from '@countersign/core/policy/compile';
import { evaluate } from '@countersign/core/policy/decide';
import { literalsOf, type Random, randomRequest } from '@countersign/core/policy/random-request';
import { builtInLabels } from '@countersign/core/policy/schema';
import type { AnyRequest } from '@countersign/core/policy/types';
import type { PolicyCheckTask } from './publish-types.ts';

const maxRequests = 200;
const minRequests = 20;
const timeBudgetMs = 4000;

export type Comparison =
  | { readonly agrees: true; readonly compared: number }
  | { readonly agrees: false; readonly difference: string };

function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

function answerText(isAllowed: boolean, reasons: readonly string[], errors: readonly string[]): string {
  return `${isAllowed ? 'allow' : 'deny'} by [${reasons.toSorted().join(', ')}], errors in [${errors.toSorted().join(', ')}]`;
}

function ourAnswer(policy: CompiledPolicy, request: AnyRequest): string {
  const { permits, forbids, errors } = evaluate(policy, request);
  const name = ({ position }: { readonly position: number }): string => `policy${position}`;
  return answerText(
    forbids.length === 0 && permits.length > 0,
    (forbids.length > 0 ? forbids : permits).map(name),
    errors.map(({ rule }) => name(rule)),
  );
}

function cedarAnswer(request: AnyRequest): string {
  const answer = cedar.statefulIsAuthorized({ ...toCedarCall(request), preparsedPolicySetId: 'compared' });
  if (answer.type === 'failure') return `failure: ${answer.errors.map((error) => error.message).join('; ')}`;
  const { decision, diagnostics } = answer.response;
  return answerText(
    decision === 'allow',
    diagnostics.reason,
    diagnostics.errors.map(({ policyId }) => policyId),
  );
}

/**
 * Compares up to 200 random requests made of the policy's own literals, for at most four seconds but never
 * fewer than 20. The decision, the determining rules and the erring rules must be the same.
 */
export function comparePolicy(text: string, policy: CompiledPolicy, task: PolicyCheckTask): Comparison {
  const preparsed = cedar.preparsePolicySet('compared', { staticPolicies: text });
  if (preparsed.type === 'failure') return { agrees: false, difference: 'cedar does not take the text back' };
  const random = seeded(task.seed);
  const literals = literalsOf(policy);
  const labels = [...builtInLabels, ...task.labels];
  const deadline = performance.now() + timeBudgetMs;
  let compared = 0;
  while (compared < maxRequests && (compared < minRequests || performance.now() < deadline)) {
    const request = randomRequest(random, literals, labels);
    const ours = ourAnswer(policy, request);
    const theirs = cedarAnswer(request);
    if (ours !== theirs) return { agrees: false, difference: `we say ${ours}, cedar says ${theirs}` };
    compared += 1;
  }
  return { agrees: true, compared };
}
