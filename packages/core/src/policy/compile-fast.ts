// Owns the shortcuts of compiled rules: common forms over variables and literals that need no general closure.

import { asSet, readAttribute, type Test, type ValueOf } from './closures.ts';
import { sharedKey, uidKey } from './entity.ts';
import type { Expr } from './expr.ts';
import type { AnyRequest, Attributes, EntityView } from './types.ts';
import { EvaluationFault, isEntity, type RuntimeValue } from './values.ts';

/** The principal's or the resource's view, if the expression is that variable. */
function viewOf(expr: Expr): ((request: AnyRequest) => EntityView) | undefined {
  if (expr.kind !== 'variable') return undefined;
  if (expr.name === 'principal') return (request) => request.principal;
  return expr.name === 'resource' ? (request) => request.resource : undefined;
}

/** The attributes of a variable, read without making an entity value first. */
export function attributesOfVariable(expr: Expr): ((request: AnyRequest) => Attributes) | undefined {
  if (expr.kind !== 'variable') return undefined;
  switch (expr.name) {
    case 'context':
      return (request) => request.context;
    case 'principal':
      return (request) => request.principal.attributes;
    case 'resource':
      return (request) => request.resource.attributes;
    case 'action':
      return undefined;
  }
}

/** `variable.name` */
export function quickGet(expr: Extract<Expr, { kind: 'get' }>): ValueOf | undefined {
  const attributes = attributesOfVariable(expr.left);
  if (attributes === undefined) return undefined;
  const { attribute } = expr;
  const message = `the attribute \`${attribute}\` is absent`;
  return (request) => {
    const value = readAttribute(attributes(request), attribute);
    if (value === undefined) throw new EvaluationFault(message);
    return value;
  };
}

/** The key of a literal entity. */
export function literalKey(expr: Expr): string | undefined {
  if (expr.kind !== 'literal' || !isEntity(expr.value)) return undefined;
  return sharedKey(uidKey(expr.value.__entity.type, expr.value.__entity.id));
}

function literalKeys(expr: Expr): readonly string[] | undefined {
  const single = literalKey(expr);
  if (single !== undefined) return [single];
  if (expr.kind !== 'set') return undefined;
  const keys = expr.items.map(literalKey).filter((key) => key !== undefined);
  return keys.length === expr.items.length ? keys : undefined;
}

/** `principal in E`, `resource in [E, F]` */
function quickIn(left: Expr, right: Expr): Test | undefined {
  const view = viewOf(left);
  const keys = literalKeys(right);
  if (view === undefined || keys === undefined) return undefined;
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) {
    return (request) => {
      const entity = view(request);
      return entity.uid === only || entity.ancestors.has(only);
    };
  }
  return (request) => {
    const entity = view(request);
    return keys.some((key) => entity.uid === key || entity.ancestors.has(key));
  };
}

/** `["a", "b", …].contains(x)` over many primitive literals. */
function quickContains(left: Expr, right: ValueOf): Test | undefined {
  if (left.kind !== 'set' || left.items.length < 8) return undefined;
  const members = new Set<RuntimeValue>();
  for (const item of left.items) {
    if (item.kind !== 'literal' || typeof item.value === 'object') return undefined;
    members.add(item.value);
  }
  return (request) => members.has(right(request));
}

/** `x.containsAny(["a", "b"])` where the literal side holds only primitives: one pass over the value. */
function quickContainsAny(left: ValueOf, right: Expr): Test | undefined {
  if (right.kind !== 'set') return undefined;
  const members = new Set<RuntimeValue>();
  for (const item of right.items) {
    if (item.kind !== 'literal' || typeof item.value === 'object') return undefined;
    members.add(item.value);
  }
  return (request) => {
    for (const item of asSet(left(request))) if (members.has(item)) return true;
    return false;
  };
}

/** `principal == E` */
function quickEquals(left: Expr, right: Expr): Test | undefined {
  const view = viewOf(left);
  const key = literalKey(right);
  if (view === undefined || key === undefined) return undefined;
  return (request) => view(request).uid === key;
}

/** A shortcut for a binary test, or undefined. `left` and `right` are the operands' general closures. */
export function quickBinary(
  expr: Extract<Expr, { kind: 'binary' }>,
  left: ValueOf,
  right: ValueOf,
): Test | undefined {
  switch (expr.op) {
    case 'in':
      return quickIn(expr.left, expr.right);
    case '==':
      return quickEquals(expr.left, expr.right);
    case 'contains':
      return quickContains(expr.left, right);
    case 'containsAny':
      return quickContainsAny(left, expr.right);
    default:
      return undefined;
  }
}

/** A conjunction. Each term is a boolean or the rule errs; the first false one ends it. */
export function conjunction(terms: readonly Test[]): Test {
  const [a, b, c, d] = terms;
  if (a === undefined) return () => true;
  if (b === undefined) return a;
  if (c === undefined) return (request) => a(request) && b(request);
  if (d === undefined) return (request) => a(request) && b(request) && c(request);
  const rest = conjunctionOf(terms.slice(3));
  return (request) => a(request) && b(request) && c(request) && rest(request);
}

/** Longer chains run in a loop, so that their length costs no stack. */
function conjunctionOf(terms: readonly Test[]): Test {
  const [only] = terms;
  if (only !== undefined && terms.length === 1) return only;
  return (request) => {
    for (const term of terms) if (!term(request)) return false;
    return true;
  };
}

/** A disjunction. The first true term ends it. */
export function disjunction(terms: readonly Test[]): Test {
  const [first, second, third] = terms;
  if (first !== undefined && second !== undefined && third === undefined) {
    return (request) => first(request) || second(request);
  }
  return (request) => {
    for (const term of terms) if (term(request)) return true;
    return false;
  };
}
