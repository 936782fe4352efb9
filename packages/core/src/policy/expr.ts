// Owns the syntax tree of a rule, as the evaluators walk it.

import type { EntityRef } from './types.ts';

export type Variable = 'principal' | 'action' | 'resource' | 'context';

export const binaryOperators = [
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '+',
  '-',
  '*',
  'in',
  'contains',
  'containsAll',
  'containsAny',
  'getTag',
  'hasTag',
] as const;
export type BinaryOperator = (typeof binaryOperators)[number];

/** Extension functions with the number of their arguments, the receiver included. */
export const extensionFunctions = {
  ip: 1,
  isIpv4: 1,
  isIpv6: 1,
  isLoopback: 1,
  isMulticast: 1,
  isInRange: 2,
  decimal: 1,
  lessThan: 2,
  lessThanOrEqual: 2,
  greaterThan: 2,
  greaterThanOrEqual: 2,
} as const;
export type ExtensionFunction = keyof typeof extensionFunctions;

/** A piece of a `like` pattern: literal text or, as `null`, the wildcard. */
export type PatternPiece = string | null;

export type Expr =
  | { readonly kind: 'literal'; readonly value: boolean | number | string | EntityRef }
  | { readonly kind: 'variable'; readonly name: Variable }
  | { readonly kind: 'not' | 'negate' | 'isEmpty'; readonly arg: Expr }
  | { readonly kind: 'binary'; readonly op: BinaryOperator; readonly left: Expr; readonly right: Expr }
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Expr[] }
  | { readonly kind: 'if'; readonly test: Expr; readonly yes: Expr; readonly no: Expr }
  | { readonly kind: 'get'; readonly left: Expr; readonly attribute: string }
  | { readonly kind: 'has'; readonly left: Expr; readonly path: readonly string[] }
  | { readonly kind: 'like'; readonly left: Expr; readonly pattern: readonly PatternPiece[] }
  | {
      readonly kind: 'is';
      readonly left: Expr;
      readonly entityType: string;
      readonly within: Expr | undefined;
    }
  | { readonly kind: 'set'; readonly items: readonly Expr[] }
  | { readonly kind: 'record'; readonly entries: readonly (readonly [string, Expr])[] }
  | { readonly kind: 'call'; readonly fn: ExtensionFunction; readonly args: readonly Expr[] };

/** What a rule's head demands of the principal or of the resource. */
export type Scope =
  | { readonly op: 'any' }
  | { readonly op: 'eq'; readonly entity: EntityRef }
  | { readonly op: 'in'; readonly entity: EntityRef }
  | { readonly op: 'is'; readonly entityType: string; readonly within: EntityRef | undefined };

export type ActionScope =
  | { readonly op: 'any' }
  | { readonly op: 'eq'; readonly entity: EntityRef }
  | { readonly op: 'in'; readonly entities: readonly EntityRef[] };

/** One rule, parsed. `unless` is already turned into `not`. */
export type RuleSyntax = {
  readonly effect: 'permit' | 'forbid';
  readonly principal: Scope;
  readonly action: ActionScope;
  readonly resource: Scope;
  readonly conditions: readonly { readonly kind: 'when' | 'unless'; readonly body: Expr }[];
  readonly annotations: ReadonlyMap<string, string>;
};

/** The expressions directly inside one. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'literal':
    case 'variable':
      return [];
    case 'not':
    case 'negate':
    case 'isEmpty':
      return [expr.arg];
    case 'binary':
      return [expr.left, expr.right];
    case 'and':
    case 'or':
      return expr.terms;
    case 'if':
      return [expr.test, expr.yes, expr.no];
    case 'get':
    case 'has':
    case 'like':
      return [expr.left];
    case 'is':
      return expr.within === undefined ? [expr.left] : [expr.left, expr.within];
    case 'set':
      return expr.items;
    case 'record':
      return expr.entries.map(([, value]) => value);
    case 'call':
      return expr.args;
  }
}
