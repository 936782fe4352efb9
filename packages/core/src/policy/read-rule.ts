// Owns the reading of one whole rule: effect, scope, conditions and annotations.

import { readEntity, readExpr, readObject, readText, SyntaxProblem } from './est.ts';
import type { ActionScope, RuleSyntax, Scope } from './expr.ts';

function readScope(value: unknown): Scope {
  const scope = readObject(value, 'a scope');
  if (Object.hasOwn(scope, 'slot')) {
    throw new SyntaxProblem('templates are not supported', 'write the entity itself');
  }
  switch (scope.op) {
    case 'All':
      return { op: 'any' };
    case '==':
      return { op: 'eq', entity: readEntity(scope.entity) };
    case 'in':
      return { op: 'in', entity: readEntity(scope.entity) };
    case 'is': {
      const entityType = readText(scope.entity_type, 'an entity type');
      if (!Object.hasOwn(scope, 'in')) return { op: 'is', entityType, within: undefined };
      const within = readScope({ op: 'in', ...readObject(scope.in, 'a scope') });
      return { op: 'is', entityType, within: within.op === 'in' ? within.entity : undefined };
    }
    default:
      throw new SyntaxProblem('unknown scope operator');
  }
}

function readActionScope(value: unknown): ActionScope {
  const scope = readObject(value, 'a scope');
  switch (scope.op) {
    case 'All':
      return { op: 'any' };
    case '==':
      return { op: 'eq', entity: readEntity(scope.entity) };
    case 'in': {
      const list = scope.entities;
      return {
        op: 'in',
        entities: Array.isArray(list) ? list.map(readEntity) : [readEntity(scope.entity)],
      };
    }
    default:
      throw new SyntaxProblem('unknown scope operator');
  }
}

function readCondition(value: unknown): RuleSyntax['conditions'][number] {
  const clause = readObject(value, 'a condition');
  const kind = clause.kind;
  if (kind !== 'when' && kind !== 'unless') throw new SyntaxProblem('a condition is `when` or `unless`');
  return { kind, body: readExpr(clause.body) };
}

/** Reads one policy in Cedar's JSON format. Throws `SyntaxProblem` for what we do not evaluate. */
export function readRule(value: unknown): RuleSyntax {
  const policy = readObject(value, 'a policy');
  const effect = policy.effect;
  if (effect !== 'permit' && effect !== 'forbid')
    throw new SyntaxProblem('an effect is `permit` or `forbid`');
  const conditions = policy.conditions;
  if (!Array.isArray(conditions)) throw new SyntaxProblem('conditions must be a list');
  const annotations = policy.annotations === undefined ? {} : readObject(policy.annotations, 'annotations');
  return {
    effect,
    principal: readScope(policy.principal),
    action: readActionScope(policy.action),
    resource: readScope(policy.resource),
    conditions: conditions.map(readCondition),
    annotations: new Map(
      Object.entries(annotations).map(([name, text]): [string, string] => [
        name,
        text === null ? '' : readText(text, `the annotation \`${name}\``),
      ]),
    ),
  };
}
