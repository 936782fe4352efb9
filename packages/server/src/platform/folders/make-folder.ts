// Owns making a folder with those above it, for its owner alone.

import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AppError } from '@countersign/core/errors';

/** Node's own `recursive` never comes back where a folder cannot be made though its parent is there, as in /proc. */
function make(path: string): void {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) return;
    throw new AppError('storage_unavailable', `\`${path}\` is a file, not a folder: name another one`);
  }
  make(dirname(path));
  mkdirSync(path, 0o700);
}

/** Makes what is missing of a path. Throws `storage_unavailable` where that cannot be. */
export function makeFolder(path: string): void {
  try {
    make(path);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('storage_unavailable', `the folder \`${path}\` cannot be made: name another one`, {
      cause,
    });
  }
}
