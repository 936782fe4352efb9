// Owns the command that writes the reference pages made from the source: `node tools/reference/main.ts`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { referencePages } from './pages.ts';

const root = join(import.meta.dirname, '..', '..');
for (const { path, text } of referencePages(root)) writeFileSync(join(root, path), text);
