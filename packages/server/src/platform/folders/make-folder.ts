// Owns making a folder with those above it, for its owner alone.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@countersign/core/errors';

/** Node's own `recursive` never comes back where a folder cannot be made though its parent is there, as in /proc. */
function make(path: string): void {
  if (existsSync(path)) return;
  make(dirname(path));
  mkdirSync(path, 0o700);
}

/** Makes what is missing of a path. Throws `storage_unavailable` where that cannot be. */
export function makeFolder(path: string): void {
  try {
    make(path);
  } catch (cause) {
    throw new AppError('storage_unavailable', `the folder \`${path}\` cannot be made: name another one`, {
      cause,
    });
  }
}
