// Owns the version of the command line: that of its package.

import { readFileSync } from 'node:fs';
import { isObject } from '@countersign/core/json';
import { parseJson } from '@countersign/core/parse-json';

/** Such as `0.1.0`. */
export function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const manifest: unknown = parseJson(text);
  return isObject(manifest) && typeof manifest.version === 'string' ? manifest.version : 'unknown';
}
