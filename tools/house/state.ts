// Owns the gate against state that lives in a module: it survives a request and belongs to nobody.

import {
  isArrayLiteralExpression,
  isIdentifier,
  isNewExpression,
  isObjectLiteralExpression,
  isVariableStatement,
  type Node,
  NodeFlags,
} from 'typescript/unstable/ast';
import { type Finding, findingAt, type Gate } from './tree.ts';

/** An empty container: whoever declares one at the top of a module means to fill it later. */
function isEmptyContainer(node: Node | undefined): boolean {
  if (node === undefined) return false;
  if (isArrayLiteralExpression(node)) return node.elements.length === 0;
  if (isObjectLiteralExpression(node)) return node.properties.length === 0;
  const container =
    isNewExpression(node) && isIdentifier(node.expression) && /^(Weak)?(Map|Set)$/.test(node.expression.text);
  return container && (node.arguments ?? []).every((argument) => isEmptyContainer(argument));
}

export const stateGate: Gate = {
  claim: 'no module keeps mutable state',
  check: (tree) => {
    const findings: Finding[] = [];
    for (const file of tree.code) {
      if (file.isTest || !/^packages\/[a-z]+\/src\//.test(file.path)) continue;
      for (const statement of file.ast.statements) {
        if (!isVariableStatement(statement)) continue;
        const list = statement.declarationList;
        for (const one of list.declarations) {
          if ((list.flags & NodeFlags.Const) === 0) {
            findings.push(
              findingAt(
                file,
                one,
                `\`${one.name.getText()}\` can be reassigned; keep state in what main composes`,
              ),
            );
          } else if (
            isEmptyContainer(one.initializer) &&
            !/^(readonly|Readonly)/.test(one.type?.getText() ?? '')
          ) {
            findings.push(
              findingAt(
                file,
                one,
                `\`${one.name.getText()}\` is an empty container at the top of a module; keep state in what main composes`,
              ),
            );
          }
        }
      }
    }
    return findings;
  },
};
