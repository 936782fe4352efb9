// Owns the gate of scopes: a store's function takes an organization, and every query in it stays inside.

import {
  type FunctionDeclaration,
  isCallExpression,
  isFunctionDeclaration,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isTaggedTemplateExpression,
  isTypeAliasDeclaration,
  isTypeLiteralNode,
  isVariableStatement,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast';
import { type CodeFile, type Finding, findingAt, type Gate, type Tree, walk } from './tree.ts';

const stores = 'packages/server/src/stores/';

/**
 * Functions that may ask across organizations, each with its reason. INVARIANT: the whole list; what is not on it
 * is held to one organization.
 */
const exemptions: ReadonlyMap<string, string> = new Map([
  [
    'objects.ts findOrganizationOfKey',
    'a key names no organization: this look-up is how one follows from it',
  ],
  ['objects.ts findIssuer', 'a token names an issuer and an audience: the organization follows from both'],
  ['heads.ts listHeads', 'the writer projects every log and closes what a crash left open in any of them'],
  ['bookkeeping.ts removeOldReplays', 'the age of a replay is the same for everybody; nothing is read'],
  ['bookkeeping.ts readInstallation', 'there is one installation, and this finds its id'],
  ['bookkeeping.ts setSetupDigest', 'the set-up link is of the installation, before any organization'],
  ['bookkeeping.ts touchInstallation', 'the one row of the installation is written as it is'],
  ['journal-places.ts readJournalPlace', 'there is one journal; nothing of an organization is read'],
  ['journal-places.ts startJournal', 'there is one journal, and a new one takes its place'],
  ['journal-places.ts moveJournalPlace', 'there is one journal, and the update is held to its id'],
  ['sealed-places.ts listSealed', 'a new master key wraps every secret anew; they stay sealed'],
  [
    'sealed-places.ts replaceSealed',
    'its organization is a member of the place, and the update is held to it',
  ],
  ['insert-rows.ts insertRows', 'writes rows that its callers have made, each with its organization'],
  [
    'built-statements.ts runBuilt',
    'runs what its callers have built, and each of those is held to its own scope',
  ],
]);

/** Tables without an organization, with why none is needed. */
const tableExemptions: ReadonlyMap<string, string> = new Map([
  ['JournalPlacesTable', 'there is one journal, and its frames hold entries of any organization'],
]);

const queries = /^(selectFrom|updateTable|deleteFrom)$/;
const inserts = /^(insertInto|replaceInto|mergeInto)$/;
const joins = /^(inner|left|right|full|cross)(Lateral)?Join(Lateral)?$/;

function methodOf(node: Node): string | undefined {
  return isCallExpression(node) && isPropertyAccessExpression(node.expression)
    ? node.expression.name.text
    : undefined;
}

/** The calls chained onto a call: `a.selectFrom('x').where(…).execute()` gives `where` and `execute`. */
function chainOf(call: Node): readonly Node[] {
  const chain: Node[] = [];
  for (let at = call; ; ) {
    const { parent } = at;
    if (!isPropertyAccessExpression(parent) || parent.expression !== at) return chain;
    if (!isCallExpression(parent.parent) || parent.parent.expression !== parent) return chain;
    at = parent.parent;
    chain.push(at);
  }
}

/** Whether a chained call is `.where('org_id', '=', orgId)` and nothing looser. */
function holdsOrganization(call: Node): boolean {
  if (methodOf(call) !== 'where' || !isCallExpression(call)) return false;
  const [column, operator, value] = call.arguments.map((argument) => argument.getText());
  return column === "'org_id'" && operator === "'='" && value === 'orgId';
}

/** Whether `org_id: orgId` is written anywhere in a function. */
function writesOrganization(scope: Node): boolean {
  let found = false;
  walk(scope, (node) => {
    if (isPropertyAssignment(node) && node.getText() === 'org_id: orgId') found = true;
  });
  return found;
}

const takes = (fn: FunctionDeclaration, pattern: RegExp): boolean =>
  fn.parameters.some((one) => pattern.test(one.name.getText()));

function checkQuery(file: CodeFile, fn: FunctionDeclaration, node: Node): Finding | undefined {
  const method = methodOf(node);
  if (method === undefined) {
    const isRaw =
      isTaggedTemplateExpression(node) &&
      node.tag.getText().startsWith('sql') &&
      /\b(from|into|update|join)\b/i.test(node.template.getText());
    return isRaw ? findingAt(file, node, 'a raw statement: write it with the builder') : undefined;
  }
  if (joins.test(method))
    return findingAt(file, node, `\`${method}\`: read the two sides apart, each held to org_id`);
  if (method === 'executeQuery') return findingAt(file, node, '`executeQuery` hides which rows it touches');
  if (queries.test(method) && !chainOf(node).some(holdsOrganization))
    return findingAt(file, node, `\`${method}\` without \`.where('org_id', '=', orgId)\` in its chain`);
  if (inserts.test(method) && !writesOrganization(fn))
    return findingAt(file, node, `\`${method}\` of rows that no \`org_id: orgId\` is written into`);
  return undefined;
}

function checkFunction(file: CodeFile, fn: FunctionDeclaration): Finding[] {
  const findings: Finding[] = [];
  const isExported = fn.modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword) === true;
  if (isExported && takes(fn, /^(tx|store|db)$/) && !takes(fn, /^orgId$/))
    findings.push(findingAt(file, fn, `\`${fn.name?.text}\` takes no \`orgId\``));
  let asks = false;
  walk(fn, (node) => {
    asks ||= queries.test(methodOf(node) ?? '');
    const finding = checkQuery(file, fn, node);
    if (finding !== undefined) findings.push(finding);
  });
  if (asks && !isExported && !takes(fn, /^orgId$/))
    findings.push(findingAt(file, fn, `\`${fn.name?.text}\` asks without having been told \`orgId\``));
  return findings;
}

/** Functions of a store, less the exempt ones; and queries outside any function, where no gate could follow them. */
function checkStore(file: CodeFile): Finding[] {
  const name = file.path.slice(stores.length);
  return file.ast.statements.flatMap((statement): Finding[] => {
    if (isFunctionDeclaration(statement))
      return exemptions.has(`${name} ${statement.name?.text}`) ? [] : checkFunction(file, statement);
    const findings: Finding[] = [];
    if (isVariableStatement(statement)) {
      walk(statement, (node) => {
        const method = methodOf(node) ?? '';
        if (queries.test(method) || inserts.test(method))
          findings.push(findingAt(file, node, `\`${method}\` outside a declared function: declare one`));
      });
    }
    return findings;
  });
}

/** Tables of the schema without the column. */
function checkSchema(file: CodeFile): Finding[] {
  return file.ast.statements.flatMap((statement): Finding[] => {
    if (!isTypeAliasDeclaration(statement) || !statement.name.text.endsWith('Table')) return [];
    const { type } = statement;
    const members = isTypeLiteralNode(type) ? type.members : [];
    const hasColumn =
      tableExemptions.has(statement.name.text) ||
      members.some((member) => /^org_id: /.test(member.getText()));
    return hasColumn ? [] : [findingAt(file, statement, `\`${statement.name.text}\` has no \`org_id\``)];
  });
}

/** Exemptions of functions and tables that are gone: each would let a later one of the same name through. */
function checkExemptions(tree: Tree): Finding[] {
  const gone = (name: string, what: string): Finding[] => {
    const file = tree.code.find(({ path }) => path === `${stores}${name}`);
    const isThere = file === undefined || new RegExp(`(?:function|type) ${what}\\b`).test(file.text);
    return isThere
      ? []
      : [{ path: file.path, line: 1, message: `the exemption of \`${what}\` is left over` }];
  };
  const functions = [...exemptions.keys()].flatMap((key): Finding[] => {
    const [name = '', fn = ''] = key.split(' ');
    return gone(name, fn);
  });
  // Only the whole schema can have lost a table.
  const isWhole = tree.code.some(
    ({ path, text }) => path === `${stores}schema.ts` && /type Tables\b/.test(text),
  );
  const tables = isWhole ? [...tableExemptions.keys()].flatMap((table) => gone('schema.ts', table)) : [];
  return [...functions, ...tables];
}

export const scopeGate: Gate = {
  claim: 'a store asks within one organization, and every table has org_id',
  check: (tree) => {
    const files = tree.code.filter(
      ({ path, isTest }) => path.startsWith(stores) && !path.startsWith(`${stores}migrations/`) && !isTest,
    );
    const schema = files.filter(({ path }) => path === `${stores}schema.ts`);
    return [...files.flatMap(checkStore), ...schema.flatMap(checkSchema), ...checkExemptions(tree)];
  },
};
