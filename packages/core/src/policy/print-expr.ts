// Owns the writing of an expression as Cedar text, for explanations.

import type { Expr, PatternPiece } from './expr.ts';

const name = /^[A-Za-z_][A-Za-z0-9_]*$/;

function attribute(text: string): string {
  return name.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
}

function member(text: string): string {
  return name.test(text) ? text : JSON.stringify(text);
}

function pattern(pieces: readonly PatternPiece[]): string {
  const escaped = pieces.map((piece) =>
    piece === null ? '*' : JSON.stringify(piece).slice(1, -1).replaceAll('*', '\\*'),
  );
  return `"${escaped.join('')}"`;
}

const methods: ReadonlySet<string> = new Set(['contains', 'containsAll', 'containsAny', 'getTag', 'hasTag']);

function binary(expr: Extract<Expr, { kind: 'binary' }>): string {
  const left = operand(expr.left);
  if (methods.has(expr.op)) return `${left}.${expr.op}(${printExpr(expr.right)})`;
  return `${left} ${expr.op} ${operand(expr.right)}`;
}

function call(expr: Extract<Expr, { kind: 'call' }>): string {
  const [first, ...rest] = expr.args;
  const isConstructor = expr.fn === 'ip' || expr.fn === 'decimal';
  if (isConstructor || first === undefined) return `${expr.fn}(${expr.args.map(printExpr).join(', ')})`;
  return `${operand(first)}.${expr.fn}(${rest.map(printExpr).join(', ')})`;
}

/** Puts parentheses around whatever could read differently inside a larger expression. */
function operand(expr: Expr): string {
  const text = printExpr(expr);
  const isLoose =
    expr.kind === 'and' ||
    expr.kind === 'or' ||
    expr.kind === 'if' ||
    expr.kind === 'is' ||
    expr.kind === 'has' ||
    expr.kind === 'like' ||
    (expr.kind === 'binary' && !methods.has(expr.op)) ||
    (expr.kind === 'literal' && typeof expr.value === 'number' && expr.value < 0);
  return isLoose ? `(${text})` : text;
}

function literal(value: Extract<Expr, { kind: 'literal' }>['value']): string {
  if (typeof value !== 'object') return JSON.stringify(value);
  return `${value.__entity.type}::${JSON.stringify(value.__entity.id)}`;
}

/** The expression as Cedar text, on one line. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'literal':
      return literal(expr.value);
    case 'variable':
      return expr.name;
    case 'not':
      return `!${operand(expr.arg)}`;
    case 'negate':
      return `-${operand(expr.arg)}`;
    case 'isEmpty':
      return `${operand(expr.arg)}.isEmpty()`;
    case 'binary':
      return binary(expr);
    case 'and':
      return expr.terms.map(operand).join(' && ');
    case 'or':
      return expr.terms.map(operand).join(' || ');
    case 'if':
      return `if ${operand(expr.test)} then ${operand(expr.yes)} else ${operand(expr.no)}`;
    case 'get':
      return `${operand(expr.left)}${attribute(expr.attribute)}`;
    case 'has': {
      const [only] = expr.path;
      const path = expr.path.length === 1 && only !== undefined ? member(only) : expr.path.join('.');
      return `${operand(expr.left)} has ${path}`;
    }
    case 'like':
      return `${operand(expr.left)} like ${pattern(expr.pattern)}`;
    case 'is': {
      const within = expr.within === undefined ? '' : ` in ${operand(expr.within)}`;
      return `${operand(expr.left)} is ${expr.entityType}${within}`;
    }
    case 'set':
      return `[${expr.items.map(printExpr).join(', ')}]`;
    case 'record':
      return `{${expr.entries.map(([key, value]) => `${member(key)}: ${printExpr(value)}`).join(', ')}}`;
    case 'call':
      return call(expr);
  }
}
