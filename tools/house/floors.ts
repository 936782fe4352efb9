// Owns the gate of the floors: packages along their arrows, server rooms downwards only.

import { isTestFile, type Part, parts, placeOf, serverSource } from '../floors.ts';
import { type Import, importsOf } from './imports.ts';
import type { CodeFile, Finding, Gate } from './tree.ts';

const partOf = (path: string): Part | undefined => parts.find((part) => path.startsWith(part.folder));

/** What is wrong with an import across parts, or undefined. */
function crossing(
  from: Part,
  to: Part,
  file: CodeFile,
  one: Import & { readonly target: string },
): string | undefined {
  if (from.name === to.name) return undefined;
  const relative = one.specifier.startsWith('.');
  if (to.folder.startsWith('packages/') && relative && one.kind === 'load') {
    return `leaves its package by a relative path; import \`@countersign/${to.name}/…\``;
  }
  if (file.isTest) return undefined;
  if (!from.mayImport.includes(to.name)) return `${from.name} may not import ${to.name}`;
  const only = from.onlyFiles?.[to.name];
  return only === undefined || only.includes(one.target.slice(to.folder.length))
    ? undefined
    : `${from.name} may import only ${only.join(', ')} of ${to.name}`;
}

/** What is wrong with an import between two files of the server, or undefined. */
function climbing(from: string, to: string): string | undefined {
  const here = placeOf(from);
  const there = placeOf(to);
  if (here.kind === 'homeless' || there.kind === 'homeless' || here.name === there.name) return undefined;
  if (there.floor < here.floor) return undefined;
  const way = there.floor === here.floor ? 'sideways' : 'up';
  return `${here.name} (floor ${here.floor}) imports ${way}: ${there.name} (floor ${there.floor}); receive it as a port from main`;
}

function checkFile(file: CodeFile): Finding[] {
  const findings: Finding[] = [];
  const from = partOf(file.path);
  const inServer = file.path.startsWith(serverSource) && !file.isTest;
  if (inServer) {
    const place = placeOf(file.path.slice(serverSource.length));
    if (place.kind === 'homeless') findings.push({ path: file.path, line: 1, message: place.why });
  }
  for (const one of importsOf(file)) {
    const say = (message: string) =>
      findings.push({ path: file.path, line: one.line, message: `\`${one.specifier}\`: ${message}` });
    if (one.target === undefined) {
      if (/^(\/|file:)/.test(one.specifier)) say('is an absolute path; import by a relative path');
      continue;
    }
    const { target } = one;
    if (!file.isTest && isTestFile(target)) say('is a test; the product imports no tests');
    const to = partOf(target);
    if (from !== undefined && to !== undefined) {
      const wrong = crossing(from, to, file, { ...one, target });
      if (wrong !== undefined) say(wrong);
    }
    if (inServer && target.startsWith(serverSource)) {
      const wrong = climbing(file.path.slice(serverSource.length), target.slice(serverSource.length));
      if (wrong !== undefined) say(wrong);
    }
  }
  return findings;
}

export const floorsGate: Gate = {
  claim: 'a file imports its own room or a lower floor, and packages import along their arrows',
  check: (tree) => tree.code.flatMap(checkFile),
};
