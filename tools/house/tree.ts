// Owns what the gates read: source files as text, and the syntax trees of those that are code.

import {
  isNoSubstitutionTemplateLiteral,
  isRegularExpressionLiteral,
  isStringLiteral,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { createVirtualFileSystem } from 'typescript/unstable/fs';
import { API } from 'typescript/unstable/sync';
import { isTestFile } from '../floors.ts';

/** A file of the repository: its path from the root with forward slashes, and its text. */
export type SourceText = { readonly path: string; readonly text: string };

/** A file of code with its syntax tree. */
export type CodeFile = SourceText & { readonly ast: SourceFile; readonly isTest: boolean };

export type Tree = { readonly files: readonly SourceText[]; readonly code: readonly CodeFile[] };

/** One violation. `line` starts at 1. */
export type Finding = { readonly path: string; readonly line: number; readonly message: string };

/** A gate: a claim about the whole tree, and the function that finds what breaks it. */
export type Gate = { readonly claim: string; readonly check: (tree: Tree) => readonly Finding[] };

const isCode = (path: string): boolean =>
  /\.(ts|tsx|mts|mjs|js|jsx)$/.test(path) && !path.endsWith('.generated.ts');

/**
 * Parses every code file with the TypeScript that the lockfile pins, in one process and without resolving
 * anything. The compiler's API is still named unstable: this is the one file that opens it. Its process may
 * say `context canceled` on stderr when it is closed; that is no error.
 */
export function parseTree(files: readonly SourceText[]): Tree {
  const sources = files.filter((file) => isCode(file.path));
  const virtual: Record<string, string> = {};
  for (const { path, text } of sources) virtual[`/tree/${path}`] = text;
  virtual['/tree/tsconfig.json'] = JSON.stringify({
    compilerOptions: {
      noResolve: true,
      noLib: true,
      noEmit: true,
      types: [],
      allowJs: true,
      jsx: 'preserve',
      target: 'es2024',
      module: 'esnext',
    },
    files: sources.map((source) => `./${source.path}`),
  });
  const api = new API({ cwd: '/tree', fs: createVirtualFileSystem(virtual) });
  try {
    const snapshot = api.updateSnapshot({ openProjects: ['/tree/tsconfig.json'] });
    const program = snapshot.getProject('/tree/tsconfig.json')?.program;
    const code = sources.map((source) => {
      const ast = program?.getSourceFile(`/tree/${source.path}`);
      if (ast === undefined) throw new Error(`the compiler returned no tree for \`${source.path}\``);
      return { ...source, ast, isTest: isTestFile(source.path) };
    });
    snapshot.dispose();
    return { files, code };
  } finally {
    api.close();
  }
}

/** The line, from 1, on which a position lies. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** A finding at a node. */
export function findingAt(file: CodeFile, node: Node, message: string): Finding {
  return { path: file.path, line: lineAt(file.text, node.getStart(file.ast)), message };
}

/** Calls `visit` with a node and all below it, parents first. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  node.forEachChild((child) => {
    walk(child, visit);
  });
}

/** A comment, with its marks, and where it starts. */
export type Comment = { readonly start: number; readonly text: string };

const literalKinds: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.TemplateHead,
  SyntaxKind.TemplateMiddle,
  SyntaxKind.TemplateTail,
  SyntaxKind.JsxText,
]);

/** Every comment of a file. What looks like one inside a string, template, pattern or page text is none. */
export function commentsOf(file: CodeFile): readonly Comment[] {
  const opaque: { start: number; end: number }[] = [];
  walk(file.ast, (node) => {
    if (
      isStringLiteral(node) ||
      isNoSubstitutionTemplateLiteral(node) ||
      isRegularExpressionLiteral(node) ||
      literalKinds.has(node.kind)
    ) {
      opaque.push({
        start: node.kind === SyntaxKind.JsxText ? node.pos : node.getStart(file.ast),
        end: node.end,
      });
    }
  });
  opaque.sort((a, b) => a.start - b.start);
  const comments: Comment[] = [];
  const pattern = /\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  let next = 0;
  for (let match = pattern.exec(file.text); match !== null; match = pattern.exec(file.text)) {
    const start = match.index;
    while ((opaque[next]?.end ?? Number.POSITIVE_INFINITY) <= start) next += 1;
    const literal = opaque[next];
    if (literal !== undefined && literal.start <= start) pattern.lastIndex = literal.end;
    else comments.push({ start, text: match[0] });
  }
  return comments;
}
