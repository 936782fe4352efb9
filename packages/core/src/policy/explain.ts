// Owns explanations: for each rule, what of it was true or false, and which values it read.

import type { CompiledPolicy, CompiledRule } from './compile.ts';
import { decide } from './decide.ts';
import type { RuleSyntax } from './expr.ts';
import { printExpr } from './print-expr.ts';
import { evaluateCondition, scopeParts } from './reference.ts';
import type { AnyRequest, Decision } from './types.ts';

/** One attribute that was read: `context.tokens`, `42`. An absent one has the value `(absent)`. */
export type Read = { readonly path: string; readonly value: string };

/** One term of a condition. A chain of && is taken apart, because one false term decides it. */
export type TermTrace = {
  readonly text: string;
  readonly outcome: 'true' | 'false' | 'error' | 'not_reached';
  readonly message: string | undefined;
  readonly reads: readonly Read[];
};

export type ConditionTrace = { readonly kind: 'when' | 'unless'; readonly terms: readonly TermTrace[] };

export type RuleTrace = {
  readonly policyId: string;
  readonly effect: 'permit' | 'forbid';
  readonly outcome: 'satisfied' | 'not_satisfied' | 'error' | 'out_of_scope';
  /** Which parts of the rule's head match the request. */
  readonly scope: { readonly principal: boolean; readonly action: boolean; readonly resource: boolean };
  readonly conditions: readonly ConditionTrace[];
};

export type Explanation = { readonly decision: Decision; readonly rules: readonly RuleTrace[] };

type Condition = RuleSyntax['conditions'][number];
type Progress = 'holds' | 'fails' | 'error';

function traceTerms(condition: Condition, request: AnyRequest, isReached: boolean) {
  const { body } = condition;
  const terms = body.kind === 'and' ? body.terms : [body];
  const traces: TermTrace[] = [];
  let last: TermTrace['outcome'] = isReached ? 'true' : 'not_reached';
  for (const term of terms) {
    const text = printExpr(term);
    if (last !== 'true') {
      traces.push({ text, outcome: 'not_reached', message: undefined, reads: [] });
      continue;
    }
    const reads = new Map<string, string>();
    const outcome = evaluateCondition(term, request, (path, value) => reads.set(path, value));
    last = outcome.kind;
    traces.push({
      text,
      outcome: outcome.kind,
      message: outcome.kind === 'error' ? outcome.message : undefined,
      reads: [...reads].map(([path, value]) => ({ path, value })),
    });
  }
  return { traces, last };
}

function traceConditions(rule: CompiledRule, request: AnyRequest, isInScope: boolean) {
  let progress: Progress = isInScope ? 'holds' : 'fails';
  const conditions = rule.syntax.conditions.map((condition): ConditionTrace => {
    const { traces, last } = traceTerms(condition, request, progress === 'holds');
    if (last === 'error') progress = 'error';
    else if (last !== 'not_reached' && last !== (condition.kind === 'when' ? 'true' : 'false'))
      progress = 'fails';
    return { kind: condition.kind, terms: traces };
  });
  return { conditions, progress };
}

function outcomeOf(progress: Progress): 'satisfied' | 'not_satisfied' | 'error' {
  if (progress === 'error') return 'error';
  return progress === 'holds' ? 'satisfied' : 'not_satisfied';
}

function traceRule(rule: CompiledRule, request: AnyRequest): RuleTrace {
  const scope = scopeParts(rule.syntax, request);
  const isInScope = scope.principal && scope.action && scope.resource;
  const { conditions, progress } = traceConditions(rule, request, isInScope);
  return {
    policyId: rule.id,
    effect: rule.effect,
    outcome: isInScope ? outcomeOf(progress) : 'out_of_scope',
    scope,
    conditions,
  };
}

/**
 * Explains one decision: the decision itself, and every rule in the order of the text. Made with the
 * reference evaluator, which reports what it reads; not for the hot path.
 */
export function explain(policy: CompiledPolicy, request: AnyRequest): Explanation {
  return {
    decision: decide(policy, request),
    rules: policy.rules.map((rule) => traceRule(rule, request)),
  };
}
