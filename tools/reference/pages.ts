// Owns the list of reference pages that are made from the source, and how each is made.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { operations } from '@countersign/contract/operations';
import { apiPage } from './api-page.ts';

export type Page = { readonly path: string; readonly text: string };

/** The command line prints its own page: tools import nothing of it. */
function cliPage(root: string): string {
  const main = join(root, 'packages/cli/src/main.ts');
  const ran = spawnSync(process.execPath, [main, 'help', '--markdown'], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`the command line printed no reference: ${ran.stderr}`);
  return ran.stdout;
}

/** Every page as it should be, by its path from the root. */
export function referencePages(root: string): readonly Page[] {
  return [
    { path: 'docs/reference/api.md', text: apiPage(operations) },
    { path: 'docs/reference/cli.md', text: cliPage(root) },
  ];
}
