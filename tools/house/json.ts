// Owns the gate of JSON: text becomes a value in one place, which knows what engines read wrongly.

import {
  isCallExpression,
  isIdentifier,
  isPropertyAccessExpression,
  type Node,
} from 'typescript/unstable/ast';
import { type CodeFile, type Finding, findingAt, type Gate, walk } from './tree.ts';

const reader = 'packages/core/src/parse-json.ts';
const readerTest = 'packages/core/src/parse-json.test.ts';

/** A test of drawn texts meets names with escapes by chance, and then it is the test that is wrong. */
const isDrawing = (file: CodeFile): boolean => file.text.includes("from 'fast-check'");

/** `JSON` for anything but writing: `JSON.parse`, also under another name. */
function isOtherJson(node: Node): boolean {
  if (!isIdentifier(node) || node.text !== 'JSON') return false;
  const { parent } = node;
  // A member or a type that is called so is another thing.
  if (isPropertyAccessExpression(parent) && parent.name === node) return false;
  return !(isPropertyAccessExpression(parent) && parent.name.text === 'stringify');
}

/** `body.json()`, which is `JSON.parse` within; `z.json()` is a schema and `fc.json()` draws a text. */
function isBodyJson(node: Node): boolean {
  if (!isCallExpression(node) || !isPropertyAccessExpression(node.expression)) return false;
  const { name, expression } = node.expression;
  return name.text === 'json' && !(isIdentifier(expression) && /^(z|fc)$/.test(expression.text));
}

export const jsonGate: Gate = {
  claim: 'JSON is read by `core/parse-json.ts` alone, in tests of drawn texts too',
  check: (tree) => {
    const findings: Finding[] = [];
    for (const file of tree.code) {
      if (!/^packages\/[a-z]+\/src\//.test(file.path)) continue;
      if (file.path === reader || file.path === readerTest || (file.isTest && !isDrawing(file))) continue;
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
