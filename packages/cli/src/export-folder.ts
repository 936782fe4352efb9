// Owns the folder of an export, as an argument names it: one that is there, before anything is read from it.

import { statSync } from 'node:fs';
import { FailedError } from './machine.ts';

/** What lies at a path. Throws a FailedError where nothing does. */
export function kindOf(path: string, orElse = ''): 'directory' | 'file' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch {
    throw new FailedError(`there is no \`${path}\`: name a folder that \`ledger export\` wrote${orElse}`);
  }
}

/** The path of a folder that is there. Throws a FailedError for anything else. */
export function exportFolder(path: string): string {
  if (kindOf(path) === 'directory') return path;
  throw new FailedError(`\`${path}\` is a file: name a folder that \`ledger export\` wrote`);
}
