// Owns the command that shows what the gates find: `node tools/gates.ts [gate …]`, one `path:line: message` a line.

import { join } from 'node:path';
import { gates, readRepository } from './house/gates.ts';
import { parseTree } from './house/tree.ts';

const wanted = process.argv.slice(2);
const tree = parseTree(readRepository(join(import.meta.dirname, '..')));
for (const [name, gate] of Object.entries(gates)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const { path, line, message } of gate.check(tree)) {
    process.stdout.write(`${path}:${line}: ${name}: ${message}\n`);
    process.exitCode = 1;
  }
}
