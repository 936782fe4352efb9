// Owns the reference evaluator: it walks the syntax tree, one case an operator, and never thinks of speed.

import { actionNames } from './actions.ts';
import type { BinaryOperator, Expr, PatternPiece, RuleSyntax, Scope } from './expr.ts';
import { call } from './reference-call.ts';
import { bool, fingerprint, need, ReferenceFault, show, type Tagged, tag } from './reference-values.ts';
import { actionView } from './schema.ts';
import type { AnyRequest, EntityRef, EntityView } from './types.ts';

/** Told of every attribute that is read: its path as written, and its value as text. */
export type OnRead = (path: string, value: string) => void;
type Walk = { readonly request: AnyRequest; readonly onRead: OnRead };

const maxLong = 9223372036854775807n;
const minLong = -9223372036854775808n;

function long(value: bigint): Tagged {
  if (value > maxLong || value < minLong) throw new ReferenceFault('integer overflow');
  return { type: 'Long', value };
}

function views({ request }: Walk): readonly EntityView[] {
  return [request.principal, request.resource, actionView(request.action), actionView('call_model')];
}

function findView(walk: Walk, type: string, id: string): EntityView | undefined {
  const known = views(walk).find((view) => view.type === type && view.id === id);
  return known ?? (type === 'Action' ? actionView(id) : undefined);
}

function isIn(walk: Walk, child: Tagged, parent: Tagged): boolean {
  const { entityType, id } = need(child, 'Entity');
  const target = need(parent, 'Entity');
  if (entityType === target.entityType && id === target.id) return true;
  const view = findView(walk, entityType, id);
  return view?.ancestors.has(`${target.entityType}::"${target.id}"`) ?? false;
}

function isInAny(walk: Walk, child: Tagged, parents: Tagged): boolean {
  need(child, 'Entity');
  const targets = parents.type === 'Set' ? parents.items : [parents];
  for (const target of targets) need(target, 'Entity');
  return targets.some((target) => isIn(walk, child, target));
}

/** The attributes of a record or a known entity. An unknown entity has none: undefined. */
function members(walk: Walk, value: Tagged): ReadonlyMap<string, Tagged> | undefined {
  if (value.type === 'Record') return value.members;
  const { entityType, id } = need(value, 'Entity');
  const view = findView(walk, entityType, id);
  return view === undefined ? undefined : need(tag(view.attributes), 'Record').members;
}

function contains(set: Tagged, item: Tagged): boolean {
  return need(set, 'Set').items.some((member) => fingerprint(member) === fingerprint(item));
}

function like(text: string, pattern: readonly PatternPiece[]): boolean {
  const [piece, ...rest] = pattern;
  if (piece === undefined) return text === '';
  if (piece !== null) return text.startsWith(piece) && like(text.slice(piece.length), rest);
  for (let at = 0; at <= text.length; at += 1) if (like(text.slice(at), rest)) return true;
  return false;
}

function binary(walk: Walk, op: BinaryOperator, left: Tagged, right: Tagged): Tagged {
  const longs = (): readonly [bigint, bigint] => [need(left, 'Long').value, need(right, 'Long').value];
  switch (op) {
    case '==':
      return bool(fingerprint(left) === fingerprint(right));
    case '!=':
      return bool(fingerprint(left) !== fingerprint(right));
    case '<':
      return bool(longs()[0] < longs()[1]);
    case '<=':
      return bool(longs()[0] <= longs()[1]);
    case '>':
      return bool(longs()[0] > longs()[1]);
    case '>=':
      return bool(longs()[0] >= longs()[1]);
    case '+':
      return long(longs()[0] + longs()[1]);
    case '-':
      return long(longs()[0] - longs()[1]);
    case '*':
      return long(longs()[0] * longs()[1]);
    case 'in':
      return bool(isInAny(walk, left, right));
    case 'contains':
      return bool(contains(left, right));
    case 'containsAll':
      need(left, 'Set');
      return bool(need(right, 'Set').items.every((item) => contains(left, item)));
    case 'containsAny':
      need(left, 'Set');
      return bool(need(right, 'Set').items.some((item) => contains(left, item)));
    case 'hasTag':
      need(left, 'Entity');
      need(right, 'String');
      return bool(false);
    case 'getTag':
      need(left, 'Entity');
      throw new ReferenceFault(`the tag ${need(right, 'String').value} is absent`);
  }
}

function pathOf(expr: Expr): string | undefined {
  if (expr.kind === 'variable') return expr.name;
  if (expr.kind !== 'get') return undefined;
  const left = pathOf(expr.left);
  return left === undefined ? undefined : `${left}.${expr.attribute}`;
}

function get(walk: Walk, expr: Extract<Expr, { kind: 'get' }>): Tagged {
  const found = members(walk, walkExpr(walk, expr.left))?.get(expr.attribute);
  const path = pathOf(expr);
  if (path !== undefined) walk.onRead(path, found === undefined ? '(absent)' : show(found));
  if (found === undefined) throw new ReferenceFault(`the attribute \`${expr.attribute}\` is absent`);
  return found;
}

function has(walk: Walk, expr: Extract<Expr, { kind: 'has' }>): boolean {
  let holder = walkExpr(walk, expr.left);
  let path = pathOf(expr.left);
  for (const name of expr.path) {
    const found = members(walk, holder)?.get(name);
    path = path === undefined ? undefined : `${path}.${name}`;
    if (path !== undefined) walk.onRead(path, found === undefined ? '(absent)' : show(found));
    if (found === undefined) return false;
    holder = found;
  }
  return true;
}

function test(walk: Walk, expr: Expr): boolean {
  return need(walkExpr(walk, expr), 'Bool').value;
}

function walkVariable({ request, onRead }: Walk, name: Extract<Expr, { kind: 'variable' }>['name']): Tagged {
  if (name === 'context') return tag(request.context);
  const view = name === 'action' ? actionView(request.action) : request[name];
  const value: Tagged = { type: 'Entity', entityType: view.type, id: view.id };
  onRead(name, show(value));
  return value;
}

/** The value of an expression. Throws `ReferenceFault` where Cedar errs. */
function walkExpr(walk: Walk, expr: Expr): Tagged {
  switch (expr.kind) {
    case 'literal':
      return tag(expr.value);
    case 'variable':
      return walkVariable(walk, expr.name);
    case 'not':
      return bool(!test(walk, expr.arg));
    case 'negate':
      return long(-need(walkExpr(walk, expr.arg), 'Long').value);
    case 'isEmpty':
      return bool(need(walkExpr(walk, expr.arg), 'Set').items.length === 0);
    case 'binary':
      return binary(walk, expr.op, walkExpr(walk, expr.left), walkExpr(walk, expr.right));
    case 'and':
      return bool(expr.terms.every((term) => test(walk, term)));
    case 'or':
      return bool(expr.terms.some((term) => test(walk, term)));
    case 'if':
      return test(walk, expr.test) ? walkExpr(walk, expr.yes) : walkExpr(walk, expr.no);
    case 'get':
      return get(walk, expr);
    case 'has':
      return bool(has(walk, expr));
    case 'like':
      return bool(like(need(walkExpr(walk, expr.left), 'String').value, expr.pattern));
    case 'is': {
      const left = need(walkExpr(walk, expr.left), 'Entity');
      if (left.entityType !== expr.entityType) return bool(false);
      return bool(expr.within === undefined || isInAny(walk, left, walkExpr(walk, expr.within)));
    }
    case 'set':
      return { type: 'Set', items: expr.items.map((item) => walkExpr(walk, item)) };
    case 'record':
      return {
        type: 'Record',
        members: new Map(expr.entries.map(([name, member]) => [name, walkExpr(walk, member)])),
      };
    case 'call':
      return call(
        expr.fn,
        expr.args.map((arg) => walkExpr(walk, arg)),
      );
  }
}

const silent: OnRead = () => {};

export type ReferenceOutcome =
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'error'; readonly message: string };

/** True, false or an error for a condition's body (`unless` is not applied here). */
export function evaluateCondition(
  expr: Expr,
  request: AnyRequest,
  onRead: OnRead = silent,
): ReferenceOutcome {
  try {
    return { kind: test({ request, onRead }, expr) ? 'true' : 'false' };
  } catch (error) {
    if (!(error instanceof ReferenceFault)) throw error;
    return { kind: 'error', message: error.message };
  }
}

function inScope(scope: Scope, entity: EntityView): boolean {
  const within = (ref: EntityRef): boolean => {
    const { type, id } = ref.__entity;
    return (entity.type === type && entity.id === id) || entity.ancestors.has(`${type}::"${id}"`);
  };
  switch (scope.op) {
    case 'any':
      return true;
    case 'eq':
      return entity.type === scope.entity.__entity.type && entity.id === scope.entity.__entity.id;
    case 'in':
      return within(scope.entity);
    case 'is':
      return entity.type === scope.entityType && (scope.within === undefined || within(scope.within));
  }
}

/** Which parts of a rule's head match. */
export function scopeParts(rule: RuleSyntax, request: AnyRequest) {
  const view = actionView(request.action);
  const { action } = rule;
  return {
    principal: inScope(rule.principal, request.principal),
    // An action that the schema does not know is in no rule's scope, not even in one that takes all actions.
    action:
      actionNames.some((name) => name === request.action) &&
      (action.op === 'any' ||
        (action.op === 'eq'
          ? inScope(action, view)
          : action.entities.some((entity) => inScope({ op: 'in', entity }, view)))),
    resource: inScope(rule.resource, request.resource),
  };
}

/** Whether a rule is satisfied: its scope matches, each `when` is true, each `unless` false, in this order. */
export function evaluateRule(rule: RuleSyntax, request: AnyRequest): ReferenceOutcome {
  const scope = scopeParts(rule, request);
  if (!scope.principal || !scope.action || !scope.resource) return { kind: 'false' };
  for (const { kind, body } of rule.conditions) {
    const outcome = evaluateCondition(body, request);
    if (outcome.kind === 'error') return outcome;
    if (outcome.kind !== (kind === 'when' ? 'true' : 'false')) return { kind: 'false' };
  }
  return { kind: 'true' };
}
