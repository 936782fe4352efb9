// Owns rule heads: whether a request is in a rule's scope, and under which key a rule can be found.

import { literalKey } from './compile-fast.ts';
import { sharedKey, uidKey } from './entity.ts';
import type { ActionScope, Expr, RuleSyntax, Scope } from './expr.ts';
import { actionView } from './schema.ts';
import type { EntityRef, EntityView } from './types.ts';

function keyOf(ref: EntityRef): string {
  return sharedKey(uidKey(ref.__entity.type, ref.__entity.id));
}

/** A test for the principal or the resource; undefined if the scope takes all. */
export function scopeTest(scope: Scope): ((entity: EntityView) => boolean) | undefined {
  switch (scope.op) {
    case 'any':
      return undefined;
    case 'eq': {
      const key = keyOf(scope.entity);
      return (entity) => entity.uid === key;
    }
    case 'in': {
      const key = keyOf(scope.entity);
      return (entity) => entity.uid === key || entity.ancestors.has(key);
    }
    case 'is': {
      const { entityType, within } = scope;
      if (within === undefined) return (entity) => entity.type === entityType;
      const key = keyOf(within);
      return (entity) => entity.type === entityType && (entity.uid === key || entity.ancestors.has(key));
    }
  }
}

/** True when the action is in the rule's scope. */
export function matchesAction(scope: ActionScope, action: string): boolean {
  if (scope.op === 'any') return true;
  const view = actionView(action);
  if (scope.op === 'eq') return view.uid === keyOf(scope.entity);
  return scope.entities.some((ref) => view.uid === keyOf(ref) || view.ancestors.has(keyOf(ref)));
}

function scopeKey(scope: Scope): string | undefined {
  if (scope.op === 'any') return undefined;
  if (scope.op === 'is') return scope.within === undefined ? undefined : keyOf(scope.within);
  return keyOf(scope.entity);
}

/** `principal in E` or `principal == E` as a condition's term: whose key, and which. */
function termKey(term: Expr): readonly ['principal' | 'resource', string] | undefined {
  if (term.kind !== 'binary' || (term.op !== 'in' && term.op !== '==')) return undefined;
  const key = literalKey(term.right);
  if (key === undefined || term.left.kind !== 'variable') return undefined;
  const { name } = term.left;
  return name === 'principal' || name === 'resource' ? [name, key] : undefined;
}

/** Keys without one of which a rule can neither be satisfied nor err. */
export type RuleKeys = { readonly principal: readonly string[]; readonly resource: readonly string[] };

/**
 * The keys by which a rule may be found: from its head, and from the first terms of its first `when`, as
 * long as these are mere scope tests, which cannot err: if such a term is false, nothing after it is evaluated.
 */
export function ruleKeys(rule: RuleSyntax): RuleKeys {
  const principal: string[] = [];
  const resource: string[] = [];
  const add = (who: 'principal' | 'resource', key: string | undefined): void => {
    if (key !== undefined) (who === 'principal' ? principal : resource).push(key);
  };
  add('principal', scopeKey(rule.principal));
  add('resource', scopeKey(rule.resource));
  const [first] = rule.conditions;
  if (first?.kind === 'when') {
    const terms = first.body.kind === 'and' ? first.body.terms : [first.body];
    for (const term of terms) {
      const found = termKey(term);
      if (found === undefined) break;
      add(found[0], found[1]);
    }
  }
  return { principal, resource };
}
