// Owns the gate of JSON: text becomes a value in one place, which knows what engines read wrongly.

import {
  isCallExpression,
  isIdentifier,
  isPropertyAccessExpression,
  type Node,
} from 'typescript/unstable/ast';
import { type Finding, findingAt, type Gate, walk } from './tree.ts';

const reader = 'packages/core/src/parse-json.ts';

/** `JSON` for anything but writing: `JSON.parse`, also under another name. */
function isOtherJson(node: Node): boolean {
  if (!isIdentifier(node) || node.text !== 'JSON') return false;
  const { parent } = node;
  // A member or a type that is called so is another thing.
  if (isPropertyAccessExpression(parent) && parent.name === node) return false;
  return !(isPropertyAccessExpression(parent) && parent.name.text === 'stringify');
}

/** `body.json()`, which is `JSON.parse` within; `z.json()` is a schema. */
function isBodyJson(node: Node): boolean {
  if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return false;
  const { name, expression } = node.expression;
  return name.text === 'json' && !(isIdentifier(expression) && expression.text === 'z');
}

export const jsonGate: Gate = {
  claim: 'JSON is read by `core/parse-json.ts` alone',
  check: (tree) => {
    const findings: Finding[] = [];
    for (const file of tree.code) {
      if (file.isTest || !/^packages\/[a-z]+\/src\//.test(file.path) || file.path === reader) continue;
      if (/\.(bench|support)\.ts$/.test(file.path)) continue;
      walk(file.ast, (node) => {
        if (!isOtherJson(node) && !isBodyJson(node)) return;
        findings.push(
          findingAt(
            file,
            node,
            '`JSON.parse` misreads names with escapes; use `parseJson` of core/parse-json',
          ),
        );
      });
    }
    return findings;
  },
};
