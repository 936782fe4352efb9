// Owns the folder of an export, as an argument names it: one that is there, before anything is read from it.

import { readdirSync, statSync } from 'node:fs';
import { isObject } from '@countersign/core/json';
import { unusable } from './input-file.ts';
import { UsageError } from './machine.ts';

const next = 'name a folder that `ledger export` wrote';

/** What lies at a path. Throws a UsageError where nothing does, or nobody can see it. */
export function kindOf(path: string, orElse = ''): 'directory' | 'file' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    const isAbsent = isObject(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    if (isAbsent) throw new UsageError(`there is no \`${path}\`: ${next}${orElse}`);
    throw unusable(path, error);
  }
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** The path of a folder that is there and holds something. Throws a UsageError for anything else. */
export function exportFolder(path: string, orElse = ''): string {
  if (kindOf(path, orElse) === 'file') throw new UsageError(`\`${path}\` is a file: ${next}`);
  if (namesIn(path).length === 0) throw new UsageError(`\`${path}\` is empty: ${next}${orElse}`);
  return path;
}
