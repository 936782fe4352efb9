// Owns the compilation of a whole policy: rules as closures, filed by what they can apply to.

import { actionNames } from './actions.ts';
import { type RuleObligations, readAnnotations, readRuleId } from './annotations.ts';
import type { Test } from './closures.ts';
import { compileTest } from './compile-expression.ts';
import { conjunction } from './compile-fast.ts';
import { SyntaxProblem } from './est.ts';
import type { RuleSyntax } from './expr.ts';
import { readRule } from './read-rule.ts';
import { makeRuleIndex, type RuleIndex } from './rule-index.ts';
import { matchesAction, type RuleKeys, ruleKeys, scopeTest } from './scope.ts';

export type CompiledRule = {
  readonly id: string;
  /** The place in the policy's text, from 0: the order in which ids are listed. */
  readonly position: number;
  readonly effect: 'permit' | 'forbid';
  readonly requestable: boolean;
  readonly obligations: RuleObligations | undefined;
  readonly keys: RuleKeys;
  /** The action's scope is not part of it. Throws `EvaluationFault` when the rule errs. */
  readonly isSatisfied: Test;
  readonly syntax: RuleSyntax;
};

export type CompiledPolicy = {
  /** In the order of the text. */
  readonly rules: readonly CompiledRule[];
  readonly byAction: ReadonlyMap<string, RuleIndex<CompiledRule>>;
};

/** Why one rule was refused. `position` is its place in the policy's text, from 0. */
export type CompileProblem = {
  readonly position: number;
  readonly policyId: string;
  readonly message: string;
  readonly help: string | undefined;
};

export type CompileResult =
  | { readonly ok: true; readonly policy: CompiledPolicy }
  | { readonly ok: false; readonly problems: readonly CompileProblem[] };

function satisfaction(rule: RuleSyntax): Test {
  const terms: Test[] = [];
  const principal = scopeTest(rule.principal);
  const resource = scopeTest(rule.resource);
  if (principal !== undefined) terms.push((request) => principal(request.principal));
  if (resource !== undefined) terms.push((request) => resource(request.resource));
  for (const { kind, body } of rule.conditions) {
    const test = compileTest(body);
    terms.push(kind === 'when' ? test : (request) => !test(request));
  }
  return conjunction(terms);
}

function compileRule(est: unknown, position: number): CompiledRule {
  const syntax = readRule(est);
  return {
    id: readRuleId(syntax, position),
    position,
    effect: syntax.effect,
    ...readAnnotations(syntax),
    keys: ruleKeys(syntax),
    isSatisfied: satisfaction(syntax),
    syntax,
  };
}

function indexByAction(rules: readonly CompiledRule[]): ReadonlyMap<string, RuleIndex<CompiledRule>> {
  return new Map(
    actionNames.map((name): [string, RuleIndex<CompiledRule>] => [
      name,
      makeRuleIndex(rules.filter((rule) => matchesAction(rule.syntax.action, name))),
    ]),
  );
}

/**
 * Compiles policies in Cedar's JSON format (EST), given in the order of the text. All problems are reported,
 * not only the first. Validation against the schema is Cedar's work and happens before; what is refused here
 * is what Cedar accepts but we do not: unsafe integer literals, datetime functions, templates, unknown
 * annotations, duplicate ids.
 */
export function compilePolicy(est: readonly unknown[]): CompileResult {
  const rules: CompiledRule[] = [];
  const problems: CompileProblem[] = [];
  const seen = new Map<string, number>();
  est.forEach((source, position) => {
    try {
      const rule = compileRule(source, position);
      const earlier = seen.get(rule.id);
      if (earlier !== undefined) {
        throw new SyntaxProblem(
          `the id \`${rule.id}\` is taken by rule ${earlier + 1}`,
          'give every rule its own `@id`',
        );
      }
      seen.set(rule.id, position);
      rules.push(rule);
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      problems.push({ position, policyId: `policy${position}`, message: error.message, help: error.help });
    }
  });
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, policy: { rules, byAction: indexByAction(rules) } };
}
