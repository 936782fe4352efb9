// Owns the gate of purity: core reaches no clock, no chance, no machine; everything comes as an argument.

import {
  isBindingElement,
  isCallExpression,
  isClassDeclaration,
  isElementAccessExpression,
  isFunctionDeclaration,
  isIdentifier,
  isImportSpecifier,
  isMetaProperty,
  isMethodDeclaration,
  isMethodSignatureDeclaration,
  isNamedTupleMember,
  isNewExpression,
  isParameterDeclaration,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isPropertyDeclaration,
  isPropertySignatureDeclaration,
  isQualifiedName,
  isTypeAliasDeclaration,
  isTypeQueryNode,
  isTypeReferenceNode,
  isVariableDeclaration,
  type Node,
} from 'typescript/unstable/ast';
import { importsOf } from './imports.ts';
import { type CodeFile, type Finding, findingAt, type Gate, walk } from './tree.ts';

/** Globals that know the machine, the time or chance; core gets what it needs of them as arguments. */
const impure: ReadonlySet<string> = new Set(
  (
    'performance globalThis global process Buffer TextEncoder TextDecoder crypto Function eval setTimeout setInterval setImmediate ' +
    'queueMicrotask fetch require navigator Worker console window self document WebSocket XMLHttpRequest localStorage __dirname __filename'
  ).split(' '),
);

/** Whether an identifier is the name of a thing and not a use of a value: `x.process`, `{ process: 1 }`. */
function isOnlyName(node: Node): boolean {
  const { parent } = node;
  if (isPropertyAccessExpression(parent)) return parent.name === node;
  if (isQualifiedName(parent)) return parent.right === node;
  if (isBindingElement(parent)) return parent.propertyName === node;
  if (isImportSpecifier(parent)) return true;
  const named =
    isPropertyAssignment(parent) ||
    isPropertySignatureDeclaration(parent) ||
    isPropertyDeclaration(parent) ||
    isMethodDeclaration(parent) ||
    isMethodSignatureDeclaration(parent) ||
    isNamedTupleMember(parent);
  return named && parent.name === node;
}

/** Names that the file itself binds; a parameter called `crypto` is an argument, not the machine's. */
function boundNames(file: CodeFile): ReadonlySet<string> {
  const bound = new Set<string>();
  walk(file.ast, (node) => {
    if (isVariableDeclaration(node) && /\bdeclare\b/.test(node.parent.parent.getText().slice(0, 8))) return;
    const binds =
      isVariableDeclaration(node) ||
      isParameterDeclaration(node) ||
      isBindingElement(node) ||
      isFunctionDeclaration(node) ||
      isImportSpecifier(node) ||
      isClassDeclaration(node) ||
      isTypeAliasDeclaration(node);
    if (binds && node.name !== undefined && isIdentifier(node.name)) bound.add(node.name.text);
  });
  return bound;
}

/** `Date` is pure as a type, as `new Date(milliseconds)` and as `Date.UTC(…)`; else it reads the clock. */
function isPureDate(node: Node): boolean {
  const { parent } = node;
  if (isTypeReferenceNode(parent) || isTypeQueryNode(parent) || isQualifiedName(parent)) return true;
  if (isNewExpression(parent)) return (parent.arguments ?? []).length > 0;
  if (isPropertyAccessExpression(parent)) return /^(UTC|parse)$/.test(parent.name.text);
  return /\binstanceof\s+Date$/.test(parent.getText());
}

/** `Math` is pure by name, except for its source of chance. */
function isPureMath(node: Node): boolean {
  return isPropertyAccessExpression(node.parent) && node.parent.name.text !== 'random';
}

function impurityOf(node: Node, bound: ReadonlySet<string>): string | undefined {
  if (isMetaProperty(node) && node.getText().startsWith('import'))
    return '`import.meta` tells where the code runs';
  if (isCallExpression(node) || isNewExpression(node)) {
    const callee = node.expression;
    if (isPropertyAccessExpression(callee) && callee.name.text === 'constructor')
      return '`.constructor(…)` compiles text';
    if (isElementAccessExpression(callee) && /constructor/.test(callee.argumentExpression.getText()))
      return '`[constructor](…)` compiles text';
  }
  if (!isIdentifier(node) || isOnlyName(node) || bound.has(node.text)) return undefined;
  if (node.text === 'Date')
    return isPureDate(node) ? undefined : '`Date` reads the clock; take the time as an argument';
  if (node.text === 'Math')
    return isPureMath(node) ? undefined : '`Math.random` is chance; take randomness as an argument';
  return impure.has(node.text)
    ? `\`${node.text}\` is the machine's; take what you need as an argument`
    : undefined;
}

function checkFile(file: CodeFile): Finding[] {
  const bound = boundNames(file);
  const findings: Finding[] = [];
  walk(file.ast, (node) => {
    const why = impurityOf(node, bound);
    if (why !== undefined) findings.push(findingAt(file, node, why));
  });
  for (const one of importsOf(file)) {
    if (/^node:|^bun:/.test(one.specifier) || one.specifier === '<computed>' || one.kind === 'url') {
      findings.push({
        path: file.path,
        line: one.line,
        message: `\`${one.specifier}\`: core imports nothing of the machine`,
      });
    }
  }
  return findings;
}

export const purityGate: Gate = {
  claim: 'core is pure: no clock, no chance, no machine',
  check: (tree) =>
    tree.code.filter((file) => file.path.startsWith('packages/core/src/') && !file.isTest).flatMap(checkFile),
};
