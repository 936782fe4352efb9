// Owns the gates of size and shape: long files, long functions, files that only re-export, opening sentences.

import {
  isArrowFunction,
  isCallExpression,
  isConstructorDeclaration,
  isExportDeclaration,
  isFunctionDeclaration,
  isFunctionExpression,
  isGetAccessorDeclaration,
  isIdentifier,
  isImportDeclaration,
  isMethodDeclaration,
  isPropertyAccessExpression,
  isSetAccessorDeclaration,
  isVariableDeclaration,
  type Node,
} from 'typescript/unstable/ast';
import { type CodeFile, type Finding, findingAt, type Gate, lineAt, walk } from './tree.ts';

const maxFileLines = 300;
const maxFunctionLines = 60;

const lineCount = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);

function isFunction(node: Node): boolean {
  return (
    isFunctionDeclaration(node) ||
    isFunctionExpression(node) ||
    isArrowFunction(node) ||
    isMethodDeclaration(node) ||
    isConstructorDeclaration(node) ||
    isGetAccessorDeclaration(node) ||
    isSetAccessorDeclaration(node)
  );
}

/** A callback of test(), describe(), t.test() and their like: as long as the story it tells. */
function isTestCallback(node: Node, file: CodeFile): boolean {
  if (!file.isTest || !isCallExpression(node.parent)) return false;
  let callee: Node = node.parent.expression;
  // describe.skip(...), test.before(...) and t.test(...) count by their first or last name.
  const names: string[] = [];
  while (isPropertyAccessExpression(callee)) {
    names.push(callee.name.text);
    callee = callee.expression;
  }
  if (isIdentifier(callee)) names.push(callee.text);
  return names.some((name) => /^(test|it|describe|suite|before|after|beforeEach|afterEach)$/.test(name));
}

function nameOf(node: Node): string {
  if ((isFunctionDeclaration(node) || isMethodDeclaration(node)) && node.name !== undefined)
    return node.name.getText();
  if (isVariableDeclaration(node.parent)) return node.parent.name.getText();
  return isConstructorDeclaration(node) ? 'constructor' : 'function';
}

/** Lines of test callbacks inside a function: a suite that several seams share is a function full of them. */
function linesOfStories(node: Node, file: CodeFile): number {
  let lines = 0;
  node.forEachChild((child) => {
    lines +=
      isFunction(child) && isTestCallback(child, file) ? linesOf(child, file) : linesOfStories(child, file);
  });
  return lines;
}

function linesOf(node: Node, file: CodeFile): number {
  return lineAt(file.text, node.end) - lineAt(file.text, node.getStart(file.ast)) + 1;
}

function longFunctions(file: CodeFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.ast, (node) => {
    if (!isFunction(node) || isTestCallback(node, file)) return;
    const lines = linesOf(node, file) - (file.isTest ? linesOfStories(node, file) : 0);
    if (lines > maxFunctionLines) {
      findings.push(
        findingAt(
          file,
          node,
          `\`${nameOf(node)}\` has ${lines} lines; split it, at most ${maxFunctionLines}`,
        ),
      );
    }
  });
  return findings;
}

export const sizeGate: Gate = {
  claim: `a file has at most ${maxFileLines} lines, a function at most ${maxFunctionLines}`,
  check: (tree) =>
    tree.code.flatMap((file) => {
      const lines = lineCount(file.text);
      const long =
        lines > maxFileLines
          ? [
              {
                path: file.path,
                line: maxFileLines + 1,
                message: `has ${lines} lines; split it, at most ${maxFileLines}`,
              },
            ]
          : [];
      return [...long, ...longFunctions(file)];
    }),
};

/** Whether every statement only passes names on, and at least one does. */
function isBarrel(file: CodeFile): boolean {
  const { statements } = file.ast;
  const passing = statements.every(
    (one) => isImportDeclaration(one) || (isExportDeclaration(one) && !isEmptyExport(one)),
  );
  return passing && statements.some((one) => isExportDeclaration(one));
}

/** `export {}` makes a module of a script; it passes nothing on. */
function isEmptyExport(node: Node): boolean {
  return /^export\s*\{\s*\};?$/.test(node.getText());
}

export const barrelsGate: Gate = {
  claim: 'no file only re-exports, and nothing is exported with a star',
  check: (tree) =>
    tree.code.flatMap((file) => {
      if (isBarrel(file))
        return [
          { path: file.path, line: 1, message: 'only re-exports; import from the file that owns the thing' },
        ];
      return file.ast.statements
        .filter((one) => isExportDeclaration(one) && one.exportClause === undefined)
        .map((one) => findingAt(file, one, 're-exports with a star; name what is exported'));
    }),
};

export const openingGate: Gate = {
  claim: 'every source file opens with one sentence that says what it owns',
  check: (tree) =>
    tree.code.flatMap((file) => {
      if (!/^packages\/[a-z]+\/src\//.test(file.path) && !file.path.startsWith('tools/')) return [];
      const first = file.text.replace(/^#!.*\n/, '').split('\n')[0] ?? '';
      const wanted = file.isTest ? /^\/\/ \S.{12,}/ : /^\/\/ Owns \S.{8,}/;
      if (wanted.test(first)) return [];
      const how = file.isTest ? 'a `//` sentence' : '`// Owns …`';
      return [{ path: file.path, line: 1, message: `does not open with ${how} that says what it owns` }];
    }),
};
