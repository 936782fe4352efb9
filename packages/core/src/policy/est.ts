// Owns the reading of Cedar's JSON policy format into the syntax tree, refusing whatever we do not evaluate.

import { isObject } from '../json.ts';
import { entityRef } from './entity.ts';
import {
  type BinaryOperator,
  binaryOperators,
  type Expr,
  type ExtensionFunction,
  extensionFunctions,
  type PatternPiece,
  type Variable,
} from './expr.ts';
import type { EntityRef } from './types.ts';

/** A policy that is valid Cedar but not one that we evaluate, or JSON that is not Cedar's. */
export class SyntaxProblem extends Error {
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.name = 'SyntaxProblem';
    this.help = help;
  }
}

/** Nesting beyond this is refused, so that no policy can exhaust the stack. Chains of && and || do not nest. */
const maxDepth = 200;

type Json = { readonly [key: string]: unknown };

const unsupported: ReadonlyMap<string, string> = new Map(
  [
    'datetime',
    'duration',
    'offset',
    'durationSince',
    'toDate',
    'toTime',
    'toMilliseconds',
    'toSeconds',
    'toMinutes',
    'toHours',
    'toDays',
  ].map((name): [string, string] => [
    name,
    'compare `context.time.epoch` (seconds since 1970), `context.time.hour` and `context.time.weekday` instead',
  ]),
);

function isOperator(name: string): name is BinaryOperator {
  return binaryOperators.some((op) => op === name);
}

function isExtension(name: string): name is ExtensionFunction {
  return Object.hasOwn(extensionFunctions, name);
}

function isVariable(name: unknown): name is Variable {
  return name === 'principal' || name === 'action' || name === 'resource' || name === 'context';
}

export function readObject(value: unknown, what: string): Json {
  if (!isObject(value)) throw new SyntaxProblem(`${what} must be an object`);
  return value;
}

export function readText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new SyntaxProblem(`${what} must be text`);
  return value;
}

function readList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new SyntaxProblem(`${what} must be a list`);
  return value;
}

/** Reads `{type, id}` or `{__entity: {type, id}}`. */
export function readEntity(value: unknown): EntityRef {
  const outer = readObject(value, 'an entity');
  const inner = Object.hasOwn(outer, '__entity') ? readObject(outer.__entity, 'an entity') : outer;
  return entityRef(readText(inner.type, 'an entity type'), readText(inner.id, 'an entity id'));
}

function readLiteral(value: unknown, depth: number): Expr {
  if (typeof value === 'boolean' || typeof value === 'string') return { kind: 'literal', value };
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) {
      throw new SyntaxProblem(
        'an integer literal is beyond ±9007199254740991',
        'use a literal within ±9007199254740991; results of arithmetic may be larger',
      );
    }
    return { kind: 'literal', value };
  }
  if (Array.isArray(value)) {
    return { kind: 'set', items: value.map((item) => readLiteral(item, nest(depth))) };
  }
  const object = readObject(value, 'a literal');
  if (Object.hasOwn(object, '__entity')) return { kind: 'literal', value: readEntity(object) };
  if (Object.hasOwn(object, '__extn')) {
    const call = readObject(object.__extn, 'an extension value');
    const args = 'args' in call ? readList(call.args, 'arguments') : [call.arg];
    return readCall(
      readText(call.fn, 'a function'),
      args.map((arg) => readLiteral(arg, nest(depth))),
    );
  }
  return readRecord(object, (item) => readLiteral(item, nest(depth)));
}

function nest(depth: number): number {
  if (depth >= maxDepth) {
    throw new SyntaxProblem(
      `an expression nests deeper than ${maxDepth}`,
      'split the rule into several, or use a set',
    );
  }
  return depth + 1;
}

function readRecord(object: Json, read: (value: unknown) => Expr): Expr {
  const entries = Object.entries(object).map(([name, value]): readonly [string, Expr] => {
    if (name === '__entity' || name === '__extn' || name === '__proto__') {
      throw new SyntaxProblem(`a record has the reserved name \`${name}\``, 'choose another name');
    }
    return [name, read(value)];
  });
  return { kind: 'record', entries };
}

function readCall(fn: string, args: readonly Expr[]): Expr {
  const hint = unsupported.get(fn);
  if (hint !== undefined) throw new SyntaxProblem(`the function \`${fn}\` is not supported`, hint);
  if (!isExtension(fn)) throw new SyntaxProblem(`\`${fn}\` is not an operator or function that we know`);
  if (args.length !== extensionFunctions[fn]) {
    throw new SyntaxProblem(`\`${fn}\` takes ${extensionFunctions[fn]} arguments, found ${args.length}`);
  }
  return { kind: 'call', fn, args };
}

/** Flattens the left spine of a chain: evaluation order and short circuits stay the same, the nesting goes. */
function readChain(kind: 'and' | 'or', key: '&&' | '||', body: unknown, depth: number): Expr {
  const terms: Expr[] = [];
  let current = readObject(body, key);
  for (;;) {
    terms.push(readExpr(current.right, nest(depth)));
    const left = readObject(current.left, 'an expression');
    if (!Object.hasOwn(left, key)) {
      terms.push(readExpr(left, nest(depth)));
      break;
    }
    current = readObject(left[key], key);
  }
  return { kind, terms: terms.reverse() };
}

function readPattern(value: unknown): readonly PatternPiece[] {
  return readList(value, 'a pattern').map((piece) =>
    piece === 'Wildcard' ? null : readText(readObject(piece, 'a pattern').Literal, 'a pattern'),
  );
}

function readIs(body: Json, depth: number): Expr {
  return {
    kind: 'is',
    left: readExpr(body.left, depth),
    entityType: readText(body.entity_type, 'an entity type'),
    within: Object.hasOwn(body, 'in') ? readExpr(body.in, depth) : undefined,
  };
}

function readHas(body: Json, depth: number): Expr {
  const attr = body.attr;
  const path = Array.isArray(attr) ? attr.map((part) => readText(part, 'an attribute')) : [attr];
  return {
    kind: 'has',
    left: readExpr(body.left, depth),
    path: path.map((part) => readText(part, 'an attribute')),
  };
}

/** Reads one expression. Throws `SyntaxProblem` for what we do not evaluate. */
export function readExpr(value: unknown, depth = 0): Expr {
  const object = readObject(value, 'an expression');
  const [key, ...others] = Object.keys(object);
  if (key === undefined || others.length > 0) {
    throw new SyntaxProblem('an expression must have exactly one operator');
  }
  const body = object[key];
  const below = nest(depth);
  if (key === 'Value') return readLiteral(body, below);
  if (key === '&&') return readChain('and', key, body, depth);
  if (key === '||') return readChain('or', key, body, depth);
  if (key === 'Set') {
    return { kind: 'set', items: readList(body, 'a set').map((item) => readExpr(item, below)) };
  }
  if (key === 'Record') return readRecord(readObject(body, 'a record'), (item) => readExpr(item, below));
  if (key === 'Var') {
    if (!isVariable(body)) throw new SyntaxProblem('unknown variable');
    return { kind: 'variable', name: body };
  }
  if (key === 'Slot') throw new SyntaxProblem('templates are not supported', 'write the entity itself');
  if (Array.isArray(body)) {
    return readCall(
      key,
      body.map((arg) => readExpr(arg, below)),
    );
  }
  return readOperator(key, readObject(body, key), below);
}

function readOperator(key: string, body: Json, depth: number): Expr {
  if (isOperator(key)) {
    return {
      kind: 'binary',
      op: key,
      left: readExpr(body.left, depth),
      right: readExpr(body.right, depth),
    };
  }
  switch (key) {
    case '!':
      return { kind: 'not', arg: readExpr(body.arg, depth) };
    case 'neg':
      return { kind: 'negate', arg: readExpr(body.arg, depth) };
    case 'isEmpty':
      return { kind: 'isEmpty', arg: readExpr(body.arg, depth) };
    case '.':
      return {
        kind: 'get',
        left: readExpr(body.left, depth),
        attribute: readText(body.attr, 'an attribute'),
      };
    case 'has':
      return readHas(body, depth);
    case 'like':
      return { kind: 'like', left: readExpr(body.left, depth), pattern: readPattern(body.pattern) };
    case 'is':
      return readIs(body, depth);
    case 'if-then-else':
      return {
        kind: 'if',
        test: readExpr(body.if, depth),
        yes: readExpr(body.then, depth),
        no: readExpr(body.else, depth),
      };
    default:
      throw new SyntaxProblem(`\`${key}\` is not an operator or function that we know`);
  }
}
