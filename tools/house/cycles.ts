// Owns the gate against import cycles, over the whole repository and with type imports counted.

import { importsOf } from './imports.ts';
import type { Finding, Gate, Tree } from './tree.ts';

type Visit = { readonly path: string; readonly rest: string[] };

function graphOf(tree: Tree): ReadonlyMap<string, readonly string[]> {
  const paths = new Set(tree.code.map((file) => file.path));
  return new Map(
    tree.code.map((file) => {
      // A worker named by its URL starts a thread of its own: it is no edge of loading.
      const loads = importsOf(file).filter((one) => one.kind === 'load');
      return [
        file.path,
        loads.flatMap(({ target }) => (target !== undefined && paths.has(target) ? [target] : [])),
      ];
    }),
  );
}

/** Finds each cycle once, by depth-first search with an explicit stack: the path from a file back to itself. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  for (const root of graph.keys()) {
    if (done.has(root)) continue;
    const stack: Visit[] = [{ path: root, rest: [...(graph.get(root) ?? [])] }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const next = top?.rest.pop();
      if (next === undefined) {
        if (top !== undefined) done.add(top.path);
        stack.pop();
        continue;
      }
      const from = stack.findIndex((visit) => visit.path === next);
      if (from !== -1) cycles.push([...stack.slice(from).map((visit) => visit.path), next]);
      else if (!done.has(next)) stack.push({ path: next, rest: [...(graph.get(next) ?? [])] });
    }
  }
  return cycles;
}

export const cyclesGate: Gate = {
  claim: 'no file imports itself, however long the way round',
  check: (tree) =>
    cyclesOf(graphOf(tree)).map(
      (cycle): Finding => ({ path: cycle[0] ?? '', line: 1, message: `import cycle: ${cycle.join(' → ')}` }),
    ),
};
