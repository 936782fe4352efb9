// Owns the gate of SQL: only the stores, and the platform below them, speak to the database.

import {
  isCallExpression,
  isIdentifier,
  isNoSubstitutionTemplateLiteral,
  isPropertyAccessExpression,
  isStringLiteral,
  isTaggedTemplateExpression,
  isTemplateExpression,
  type Node,
} from 'typescript/unstable/ast';
import { type Finding, findingAt, type Gate, walk } from './tree.ts';

const builders =
  /^(selectFrom|selectNoFrom|insertInto|replaceInto|updateTable|deleteFrom|mergeInto|executeQuery)$/;
const statement =
  /^\W?\s*(SELECT\s[\s\S]+\sFROM\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX|TRIGGER|POLICY|ROLE)\s|PRAGMA\s|BEGIN\s+IMMEDIATE|TRUNCATE\s)/;

function sqlIn(node: Node): string | undefined {
  if (
    isCallExpression(node) &&
    isPropertyAccessExpression(node.expression) &&
    builders.test(node.expression.name.text)
  ) {
    return `\`${node.expression.name.text}\``;
  }
  if (isTaggedTemplateExpression(node) && /^sql\b/.test(node.tag.getText())) return 'a `sql` template';
  if (isIdentifier(node) && node.text === 'DatabaseSync') return '`DatabaseSync`';
  const literal =
    isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node) || isTemplateExpression(node);
  return literal && statement.test(node.getText()) ? 'a statement in a string' : undefined;
}

const allowed = /^packages\/server\/src\/(stores|platform)\//;

export const sqlGate: Gate = {
  claim: 'SQL is only in stores and in the platform below them',
  check: (tree) => {
    const findings: Finding[] = [];
    for (const file of tree.code) {
      if (file.isTest || !file.path.startsWith('packages/') || allowed.test(file.path)) continue;
      walk(file.ast, (node) => {
        const what = sqlIn(node);
        if (what !== undefined)
          findings.push(findingAt(file, node, `${what} outside stores; give the store a function`));
      });
    }
    return findings;
  },
};
