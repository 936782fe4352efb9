// Owns the graph of imports: what each file names, in which way, and which file that is.

import { posix } from 'node:path';
import {
  isCallExpression,
  isExportDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNewExpression,
  isNoSubstitutionTemplateLiteral,
  isStringLiteral,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { type CodeFile, lineAt, walk } from './tree.ts';

/** One import: `load` runs or types the other file, `url` only names it (a worker, a data file). */
export type Import = {
  readonly specifier: string;
  readonly kind: 'load' | 'url';
  readonly line: number;
  /** Path from the root when the specifier names a file of this repository. */
  readonly target: string | undefined;
};

/** Resolves a relative specifier, or one of our packages' (`@countersign/core/ledger/tree`), to a path. */
export function resolveSpecifier(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  const own = /^@countersign\/([a-z]+)(?:\/(.+))?$/.exec(specifier);
  if (own === null) return undefined;
  const inside = own[2] ?? 'index';
  return `packages/${own[1]}/src/${/\.(ts|tsx)$/.test(inside) ? inside : `${inside}.ts`}`;
}

/** The specifier node of an import in any of its forms, or undefined. */
function specifierOf(node: Node): { node: Node; kind: 'load' | 'url' } | undefined {
  if (isImportDeclaration(node) || isExportDeclaration(node)) {
    return node.moduleSpecifier === undefined ? undefined : { node: node.moduleSpecifier, kind: 'load' };
  }
  if (isImportTypeNode(node) && isLiteralTypeNode(node.argument))
    return { node: node.argument.literal, kind: 'load' };
  if (isCallExpression(node)) {
    const argument = node.arguments[0];
    const loads =
      node.expression.kind === SyntaxKind.ImportKeyword ||
      (isIdentifier(node.expression) && node.expression.text === 'require');
    return loads && argument !== undefined ? { node: argument, kind: 'load' } : undefined;
  }
  if (isNewExpression(node) && isIdentifier(node.expression) && node.expression.text === 'URL') {
    const [path, base] = node.arguments ?? [];
    return path !== undefined && base?.getText() === 'import.meta.url'
      ? { node: path, kind: 'url' }
      : undefined;
  }
  return undefined;
}

/** Every import of a file, whatever its form. A specifier that is computed is returned as `<computed>`. */
export function importsOf(file: CodeFile): readonly Import[] {
  const found: Import[] = [];
  walk(file.ast, (node) => {
    const named = specifierOf(node);
    if (named === undefined) return;
    const literal = isStringLiteral(named.node) || isNoSubstitutionTemplateLiteral(named.node);
    const specifier = literal ? named.node.getText().slice(1, -1) : '<computed>';
    found.push({
      specifier,
      kind: named.kind,
      line: lineAt(file.text, node.getStart(file.ast)),
      target: resolveSpecifier(file.path, specifier),
    });
  });
  return found;
}
