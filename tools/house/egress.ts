// Owns the gate of egress: the server dials the outside in one place, where the SSRF rules are.

import {
  isCallExpression,
  isIdentifier,
  isImportDeclaration,
  isNamedImports,
  isNewExpression,
  isPropertyAccessExpression,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { type CodeFile, type Finding, findingAt, type Gate, walk } from './tree.ts';

/** The one dialer; and the driver that speaks to our own database. */
const dialers = /^packages\/server\/src\/platform\/(egress|db)(\/|\.ts$)/;

const dialingModules = /^(node:)?(http|https|http2|net|tls|dgram)$/;
const dialingNames =
  /^(request|get|connect|createConnection|createSocket|Agent|Socket|TLSSocket|ClientRequest)$/;
const dialingGlobals = /^(fetch|WebSocket|EventSource)$/;
const dialingClasses = /^(Client|Pool|BalancedPool|ProxyAgent|EnvHttpProxyAgent|RetryAgent)$/;

/** Value imports that can dial: `{ request } from 'node:https'`, anything of undici that is not a type. */
function dialingImport(node: Node): string | undefined {
  if (!isImportDeclaration(node)) return undefined;
  const specifier = node.moduleSpecifier.getText().slice(1, -1);
  const clause = node.importClause;
  if (clause === undefined || /^import\s+type\b/.test(node.getText())) return undefined;
  const names =
    clause.namedBindings !== undefined && isNamedImports(clause.namedBindings)
      ? clause.namedBindings.elements
      : [];
  const values = names
    .filter((one) => !one.getText().startsWith('type '))
    .map((one) => (one.propertyName ?? one.name).getText());
  if (specifier.startsWith('undici/'))
    return specifier.endsWith('/errors.js') ? undefined : `\`${specifier}\``;
  if (specifier === 'undici') {
    const whole =
      clause.name !== undefined ||
      (clause.namedBindings !== undefined && !isNamedImports(clause.namedBindings));
    const dial = values.find((name) => name !== 'errors');
    return whole ? '`undici`' : dial === undefined ? undefined : `\`${dial}\` of undici`;
  }
  const named = dialingModules.test(specifier) ? values.find((name) => dialingNames.test(name)) : undefined;
  return named === undefined ? undefined : `\`${named}\` of ${specifier}`;
}

/** Modules imported whole, by their local name: `import * as https from 'node:https'`. */
function wholeModules(file: CodeFile): ReadonlySet<string> {
  const found = new Set<string>();
  for (const node of file.ast.statements) {
    if (!isImportDeclaration(node) || !dialingModules.test(node.moduleSpecifier.getText().slice(1, -1)))
      continue;
    const whole = /^import\s+(?:\*\s+as\s+)?(\w+)/.exec(node.getText());
    if (whole?.[1] !== undefined && whole[1] !== 'type') found.add(whole[1]);
  }
  return found;
}

function dialing(node: Node, whole: ReadonlySet<string>): string | undefined {
  const imported = dialingImport(node);
  if (imported !== undefined) return imported;
  if (!isCallExpression(node) && !isNewExpression(node)) return undefined;
  const callee = node.expression;
  if (isIdentifier(callee)) {
    const isGlobal =
      dialingGlobals.test(callee.text) ||
      (node.kind === SyntaxKind.NewExpression && dialingClasses.test(callee.text));
    return isGlobal ? `\`${callee.text}\`` : undefined;
  }
  if (!isPropertyAccessExpression(callee)) return undefined;
  const owner = callee.expression.getText();
  const dials =
    (whole.has(owner) && dialingNames.test(callee.name.text)) ||
    (owner === 'globalThis' && dialingGlobals.test(callee.name.text));
  return dials ? `\`${callee.getText()}\`` : undefined;
}

function checkFile(file: CodeFile): Finding[] {
  const whole = wholeModules(file);
  const findings: Finding[] = [];
  walk(file.ast, (node) => {
    const what = dialing(node, whole);
    if (what !== undefined)
      findings.push(findingAt(file, node, `${what} can call out; go through platform/egress`));
  });
  return findings;
}

export const egressGate: Gate = {
  claim: 'the server calls out through platform/egress and nowhere else',
  check: (tree) =>
    tree.code
      .filter(
        (file) =>
          !file.isTest &&
          /^packages\/(server|contract|core)\/src\//.test(file.path) &&
          !dialers.test(file.path),
      )
      .flatMap(checkFile),
};
