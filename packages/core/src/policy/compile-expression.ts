// Owns the compilation of one expression into a closure, with Cedar's short circuits and type errors.

import {
  asEntity,
  asLong,
  asSet,
  asText,
  getAttribute,
  hasAttribute,
  isIn,
  type Test,
  testOf,
  type ValueOf,
} from './closures.ts';
import { attributesOfVariable, conjunction, disjunction, quickBinary, quickGet } from './compile-fast.ts';
import { applyExtension, binaryTest, getTagOf } from './compile-operators.ts';
import { entityRef } from './entity.ts';
import type { Expr, Variable } from './expr.ts';
import { likeMatcher } from './pattern.ts';
import { calculate, negate, type RuntimeValue } from './values.ts';

function variable(name: Variable): ValueOf {
  switch (name) {
    case 'principal':
      return ({ principal }) => entityRef(principal.type, principal.id);
    case 'resource':
      return ({ resource }) => entityRef(resource.type, resource.id);
    case 'action':
      return ({ action }) => entityRef('Action', action);
    case 'context':
      return ({ context }) => context;
  }
}

function compileHas(expr: Extract<Expr, { kind: 'has' }>): Test {
  const [first, ...rest] = expr.path;
  if (first === undefined) return () => false;
  const attributes = attributesOfVariable(expr.left);
  if (attributes !== undefined && rest.length === 0) {
    return (request) => {
      const holder = attributes(request);
      return holder[first] !== undefined && Object.hasOwn(holder, first);
    };
  }
  const left = compileValue(expr.left);
  return (request) => {
    let value = left(request);
    if (!hasAttribute(request, value, first)) return false;
    let parent = first;
    for (const name of rest) {
      value = getAttribute(request, value, parent);
      if (!hasAttribute(request, value, name)) return false;
      parent = name;
    }
    return true;
  };
}

function compileIs(expr: Extract<Expr, { kind: 'is' }>): Test {
  const left = compileValue(expr.left);
  const { entityType } = expr;
  if (expr.within === undefined) return (request) => asEntity(left(request)).__entity.type === entityType;
  const within = compileValue(expr.within);
  return (request) => {
    const entity = asEntity(left(request));
    return entity.__entity.type === entityType && isIn(request, entity, within(request));
  };
}

function compileBinary(expr: Extract<Expr, { kind: 'binary' }>): ValueOf {
  const { op } = expr;
  const left = compileValue(expr.left);
  const right = compileValue(expr.right);
  if (op === '+' || op === '-' || op === '*') {
    return (request) => calculate(op, asLong(left(request)), asLong(right(request)));
  }
  if (op === 'getTag') return getTagOf(left, right);
  return quickBinary(expr, left, right) ?? binaryTest(op, left, right);
}

function compileRecord(entries: readonly (readonly [string, Expr])[]): ValueOf {
  const members = entries.map(([name, expr]): readonly [string, ValueOf] => [name, compileValue(expr)]);
  return (request) =>
    Object.fromEntries(members.map(([name, value]): [string, RuntimeValue] => [name, value(request)]));
}

function compileCall(expr: Extract<Expr, { kind: 'call' }>): ValueOf {
  const { fn } = expr;
  const [first = () => false, second = () => false] = expr.args.map(compileValue);
  const [literal] = expr.args;
  if ((fn === 'ip' || fn === 'decimal') && literal?.kind === 'literal') {
    const folded = fold(() => applyExtension(fn, literal.value, false));
    // A malformed literal errs when the rule runs, as in Cedar, not when it is compiled.
    if (folded !== undefined) return () => folded;
  }
  return (request) => applyExtension(fn, first(request), second(request));
}

function fold(compute: () => RuntimeValue): RuntimeValue | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}

function compileGet(expr: Extract<Expr, { kind: 'get' }>): ValueOf {
  const quick = quickGet(expr);
  if (quick !== undefined) return quick;
  const left = compileValue(expr.left);
  const { attribute } = expr;
  return (request) => getAttribute(request, left(request), attribute);
}

/** Compiles an expression that yields a value. */
export function compileValue(expr: Expr): ValueOf {
  switch (expr.kind) {
    case 'literal': {
      const { value } = expr;
      return () => value;
    }
    case 'variable':
      return variable(expr.name);
    case 'negate': {
      const arg = compileValue(expr.arg);
      return (request) => negate(asLong(arg(request)));
    }
    case 'binary':
      return compileBinary(expr);
    case 'if': {
      const test = compileTest(expr.test);
      const yes = compileValue(expr.yes);
      const no = compileValue(expr.no);
      return (request) => (test(request) ? yes(request) : no(request));
    }
    case 'get':
      return compileGet(expr);
    case 'set': {
      const items = expr.items.map(compileValue);
      return (request) => items.map((item) => item(request));
    }
    case 'record':
      return compileRecord(expr.entries);
    case 'call':
      return compileCall(expr);
    default:
      return compileTest(expr);
  }
}

/** Compiles an expression that must yield true or false; anything else makes the rule err when it runs. */
export function compileTest(expr: Expr): Test {
  switch (expr.kind) {
    case 'not': {
      const arg = compileTest(expr.arg);
      return (request) => !arg(request);
    }
    case 'and':
      return conjunction(expr.terms.map(compileTest));
    case 'or':
      return disjunction(expr.terms.map(compileTest));
    case 'has':
      return compileHas(expr);
    case 'like': {
      const left = compileValue(expr.left);
      const matches = likeMatcher(expr.pattern);
      return (request) => matches(asText(left(request)));
    }
    case 'is':
      return compileIs(expr);
    case 'isEmpty': {
      const arg = compileValue(expr.arg);
      return (request) => asSet(arg(request)).length === 0;
    }
    default:
      return testOf(compileValue(expr));
  }
}
