// Owns the gate of JSON: text becomes a value in one place, which knows what engines read wrongly.

import { isIdentifier, isPropertyAccessExpression } from 'typescript/unstable/ast';
import { type Finding, findingAt, type Gate, walk } from './tree.ts';

const reader = 'packages/core/src/parse-json.ts';

export const jsonGate: Gate = {
  claim: 'JSON is read by `core/parse-json.ts` alone',
  check: (tree) => {
    const findings: Finding[] = [];
    for (const file of tree.code) {
      if (file.isTest || !/^packages\/[a-z]+\/src\//.test(file.path) || file.path === reader) continue;
      if (/\.(bench|support)\.ts$/.test(file.path)) continue;
      walk(file.ast, (node) => {
        if (!isPropertyAccessExpression(node) || node.name.text !== 'parse') return;
        if (isIdentifier(node.expression) && node.expression.text === 'JSON')
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
