// Owns the gate against claims that the compiler cannot check: any, casts, assertions, ignored errors, unread JSON.

import {
  isArrowFunction,
  isAsExpression,
  isCallExpression,
  isConditionalExpression,
  isFunctionDeclaration,
  isMethodDeclaration,
  isNonNullExpression,
  isParenthesizedExpression,
  isPropertyAccessExpression,
  isPropertyDeclaration,
  isReturnStatement,
  isSatisfiesExpression,
  isTypeAssertion,
  isVariableDeclaration,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { type CodeFile, commentsOf, type Finding, findingAt, type Gate, lineAt, walk } from './tree.ts';

/** What a node claims without proof, or undefined. */
function claimOf(node: Node): string | undefined {
  if (node.kind === SyntaxKind.AnyKeyword) return '`any`: name the type, or take `unknown` and narrow it';
  if (isAsExpression(node) && node.type.getText() !== 'const')
    return '`as`: narrow with a predicate, parse, or use `satisfies`';
  if (isTypeAssertion(node)) return '`<T>value`: narrow with a predicate, parse, or use `satisfies`';
  if (isNonNullExpression(node)) return '`!`: handle the missing value';
  const definite =
    (isVariableDeclaration(node) && node.exclamationToken !== undefined) ||
    (isPropertyDeclaration(node) && node.postfixToken?.kind === SyntaxKind.ExclamationToken);
  return definite ? '`!`: give it a value where it is declared' : undefined;
}

function isJsonParse(node: Node): boolean {
  return (
    isCallExpression(node) &&
    isPropertyAccessExpression(node.expression) &&
    node.expression.getText() === 'JSON.parse'
  );
}

/** Names of functions that take a value of any type and say what it is. */
const reader =
  /(^|\.)(parse|safeParse|decode|read|check|validate|assert|require|expect|deepEqual|deepStrictEqual|equal|strictEqual|ok|as|is|to)([A-Z]\w*)?$|(Schema|schema)\b/;

/** The type written on the nearest function around a node, or ''. */
function declaredReturn(node: Node): string {
  for (let at: Node = node.parent; at.kind !== SyntaxKind.SourceFile; at = at.parent) {
    if (isFunctionDeclaration(at) || isArrowFunction(at) || isMethodDeclaration(at))
      return at.type?.getText() ?? '';
  }
  return '';
}

/** Whether a function of the same file, called by its name, declares its first parameter as unknown. */
function takesUnknown(callee: Node): boolean {
  const name = callee.getText();
  return (
    /^\w+$/.test(name) &&
    new RegExp(`\\b${name}(\\s*=\\s*)?\\(\\s*\\w+: unknown\\b`).test(callee.getSourceFile().text)
  );
}

/** Whether what JSON.parse returned (any) becomes unknown or goes straight to a parser. */
function isNarrowed(node: Node, isTest: boolean): boolean {
  const { parent } = node;
  if (isParenthesizedExpression(parent) || isConditionalExpression(parent)) return isNarrowed(parent, isTest);
  if (isVariableDeclaration(parent) || isPropertyDeclaration(parent))
    return parent.type?.getText() === 'unknown';
  if (isSatisfiesExpression(parent)) return true;
  if (isReturnStatement(parent) || isArrowFunction(parent)) return /\bunknown\b/.test(declaredReturn(node));
  if (isCallExpression(parent)) {
    // What a test hands on at once is judged by what the test asserts.
    if (parent.expression === node) return false;
    return isTest || reader.test(parent.expression.getText()) || takesUnknown(parent.expression);
  }
  if (parent.kind === SyntaxKind.BinaryExpression) {
    if (/^[\s\S]*[!=]==(?!=)/.test(parent.getText())) return true;
    const name = parent.getText().split('=')[0]?.trim() ?? '';
    return new RegExp(`\\blet ${name}: unknown\\b`).test(node.getSourceFile().text);
  }
  return false;
}

function checkFile(file: CodeFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.ast, (node) => {
    const claim = claimOf(node);
    if (claim !== undefined) findings.push(findingAt(file, node, claim));
    if (isJsonParse(node) && !isNarrowed(node, file.isTest)) {
      findings.push(
        findingAt(file, node, '`JSON.parse`: put the result into `unknown`, or give it to a parser at once'),
      );
    }
  });
  for (const comment of commentsOf(file)) {
    const ignore = /@ts-(ignore|expect-error|nocheck)\b/.exec(comment.text);
    if (ignore !== null) {
      findings.push({
        path: file.path,
        line: lineAt(file.text, comment.start),
        message: `\`${ignore[0]}\`: make the types right`,
      });
    }
  }
  return findings;
}

export const castsGate: Gate = {
  claim: 'no any, no cast but `as const`, no `!`, no ignored error, and no JSON of type any',
  // Plain JavaScript has no types to claim.
  check: (tree) => tree.code.filter((file) => /\.tsx?$/.test(file.path)).flatMap(checkFile),
};
